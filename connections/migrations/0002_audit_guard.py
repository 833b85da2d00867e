"""The database itself refuses to change the audit: no update, no emptying, no delete above the newest checkpoint.

A row whose `cleared_to` is set is a checkpoint of the retention; it stands in the chain, so one that was forged shows
when the chain is walked. Nobody has to drop a trigger in order to prune.
"""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# ALWAYS: not even a session that calls itself a replica passes them by. The function finds the table beside which it
# was made, whatever search path a session sets.
POSTGRESQL = (
    """
    CREATE FUNCTION connections_audit_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF OLD.id <= (SELECT max(cleared_to) FROM connections_auditrow) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'audit rows are not changed' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON connections_auditrow"
    " FOR EACH ROW EXECUTE FUNCTION connections_audit_guard()",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON connections_auditrow"
    " FOR EACH ROW EXECUTE FUNCTION connections_audit_guard()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON connections_auditrow"
    " FOR EACH STATEMENT EXECUTE FUNCTION connections_audit_guard()",
    "ALTER TABLE connections_auditrow ENABLE ALWAYS TRIGGER audit_no_update",
    "ALTER TABLE connections_auditrow ENABLE ALWAYS TRIGGER audit_no_delete",
    "ALTER TABLE connections_auditrow ENABLE ALWAYS TRIGGER audit_no_truncate",
)
# INSERT OR REPLACE deletes what is in its way without asking a trigger of DELETE.
SQLITE = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON connections_auditrow BEGIN SELECT RAISE(ABORT, 'audit rows are not changed'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON connections_auditrow"
    " WHEN OLD.id > coalesce((SELECT max(cleared_to) FROM connections_auditrow), 0)"
    " BEGIN SELECT RAISE(ABORT, 'audit rows are not changed'); END",
    "CREATE TRIGGER audit_no_replace BEFORE INSERT ON connections_auditrow"
    " WHEN EXISTS (SELECT 1 FROM connections_auditrow WHERE id = NEW.id OR digest = NEW.digest)"
    " BEGIN SELECT RAISE(ABORT, 'audit rows are not changed'); END",
)


def put_up(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def take_down(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION connections_audit_guard() CASCADE")
        return
    for name in ("audit_no_update", "audit_no_delete", "audit_no_replace"):
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_initial")]
    operations = [migrations.RunPython(put_up, take_down)]
