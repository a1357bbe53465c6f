"""Attempts move along their states only; a frozen snapshot never changes."""

from __future__ import annotations

from django.db import migrations

ATTEMPTS = """
CREATE FUNCTION attempt_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('queued', 'claimed'), ('queued', 'cancelled'),
    ('claimed', 'running'), ('claimed', 'queued'), ('claimed', 'failed'), ('claimed', 'cancelled'), ('claimed', 'lost'),
    ('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled'), ('running', 'lost')
  ) THEN
    RAISE EXCEPTION 'attempt: % to % is no transition', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attempt_transition BEFORE UPDATE OF state ON training_attempt
  FOR EACH ROW EXECUTE FUNCTION attempt_transition();
"""

SNAPSHOTS = """
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON training_snapshot
  FOR EACH ROW WHEN (OLD.state = 'frozen') EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("training", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        migrations.RunSQL(
            ATTEMPTS,
            "DROP TRIGGER attempt_transition ON training_attempt; DROP FUNCTION attempt_transition();",
        ),
        migrations.RunSQL(SNAPSHOTS, "DROP TRIGGER frozen ON training_snapshot;"),
    ]
