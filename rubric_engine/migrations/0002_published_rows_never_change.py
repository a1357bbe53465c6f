"""What is published never changes: a new version is a new row."""

from __future__ import annotations

from django.db import migrations

TABLES = [
    "rubric_engine_rubricversion",
    "rubric_engine_criterion",
    "rubric_engine_poolmember",
    "rubric_engine_draft",
    "rubric_engine_draftexemplar",
]


class Migration(migrations.Migration):
    dependencies = [("rubric_engine", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER published BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change();",
            f"DROP TRIGGER published ON {table};",
        )
        for table in TABLES
    ]
