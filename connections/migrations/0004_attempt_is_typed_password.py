"""Which password a sign-in presented: the stored one, or what a person typed.

The database gives the default too, so that a node of the version before can go on writing attempts.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def mark_customers(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """What came through a customer's link was always typed. Of staff and keys nobody knows any more: it stays as read."""
    attempts = apps.get_model("connections", "Attempt")._default_manager.using(editor.connection.alias)
    attempts.filter(kind="password", trigger="link").update(is_typed_password=True)


class Migration(migrations.Migration):
    dependencies = [("connections", "0003_audit_begun")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="is_typed_password",
            field=models.BooleanField(
                default=False, db_default=False, db_comment="It presented what a person typed, not the stored password"
            ),
        ),
        migrations.RunPython(mark_customers, migrations.RunPython.noop),
    ]
