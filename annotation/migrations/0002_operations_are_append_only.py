"""Operations and gold verdicts are append-only; a round moves along its states only."""

from __future__ import annotations

from django.db import migrations

TABLES = ["annotation_operation", "annotation_lateoperation", "annotation_goldverdict"]

ROUND_STATES = """
CREATE FUNCTION round_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('created', 'drafting'), ('drafting', 'drafted'), ('drafted', 'drafting'),
    ('drafted', 'open'), ('open', 'closed'), ('closed', 'open')
  ) THEN
    RAISE EXCEPTION 'round: % to % is no transition', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER round_transition BEFORE UPDATE OF state ON annotation_round
  FOR EACH ROW EXECUTE FUNCTION round_transition();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change();",
                f"DROP TRIGGER append_only ON {table};",
            )
            for table in TABLES
        ),
        migrations.RunSQL(
            ROUND_STATES,
            "DROP TRIGGER round_transition ON annotation_round; DROP FUNCTION round_transition();",
        ),
    ]
