"""A checkpoint of the audit reaches no further than the row before it.

One with a higher number would let every later row go, itself among them, and leave a chain that looks whole. Kept below
its own number a forged one always remains, and shows when the chain is walked.
"""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

POSTGRESQL = (
    "CREATE TRIGGER audit_no_reach BEFORE INSERT ON connections_auditrow"
    " FOR EACH ROW WHEN (NEW.cleared_to >= NEW.id) EXECUTE FUNCTION connections_audit_guard()",
    "ALTER TABLE connections_auditrow ENABLE ALWAYS TRIGGER audit_no_reach",
)
SQLITE = (
    "CREATE TRIGGER audit_no_reach BEFORE INSERT ON connections_auditrow"
    " WHEN NEW.cleared_to >= NEW.id"
    " BEGIN SELECT RAISE(ABORT, 'audit rows are not changed'); END",
)


def put_up(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def take_down(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    schema_editor.execute("DROP TRIGGER audit_no_reach" + (" ON connections_auditrow" if is_postgresql else ""))


class Migration(migrations.Migration):
    dependencies = [("connections", "0005_marks_of_tenants")]
    operations = [migrations.RunPython(put_up, take_down)]
