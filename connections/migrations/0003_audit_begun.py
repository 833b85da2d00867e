"""One more word for the outcome of a row of the audit.

The database holds no list of these words, so nothing of the table is touched: neither is it built anew on SQLite, nor do
its triggers or its rows change.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0002_audit_guard")]
    operations = [
        migrations.AlterField(
            model_name="auditrow",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("ok", "Done"),
                    ("begun", "Begun"),
                    ("failed", "Failed"),
                    ("denied", "Denied"),
                    ("throttled", "Slowed down"),
                ],
                default="ok",
                max_length=10,
            ),
        )
    ]
