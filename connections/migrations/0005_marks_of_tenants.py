"""A mark on a group of failures belongs to a tenant, or to everybody: until now all tenants shared one.

The table gets another key, so it is made anew. Marks go to whom their author may see; those of somebody who is gone go
away, and their groups are open again. Backwards what was for everybody stays, and the rest goes.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Q

STANDINGS = [("acknowledged", "Acknowledged"), ("ignored", "Ignored")]
WORDS = ("failure", "standing", "until", "reason", "at", "author")


def give_to_tenants(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    made = apps.get_model("connections", "MarkOfTenant")
    for mark in apps.get_model("connections", "FailureMark").objects.all():
        for tenant in _whose(apps, mark.author):
            made.objects.create(tenant_id=tenant, **{word: getattr(mark, word) for word in WORDS})
    _check_now(schema_editor)


def _whose(apps: StateApps, author: str) -> list[int | None]:
    staff = apps.get_model("connections", "Staff").objects.filter(user__username=author).first()
    if staff is not None and not staff.user.is_superuser:
        return list(staff.tenants.values_list("pk", flat=True)) or [None]
    is_of_all = apps.get_model("auth", "User").objects.filter(username=author, is_superuser=True).exists()
    return [None] if is_of_all else []


def give_back(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    made = apps.get_model("connections", "FailureMark")
    for mark in apps.get_model("connections", "MarkOfTenant").objects.filter(tenant=None):
        made.objects.create(**{word: getattr(mark, word) for word in WORDS})
    _check_now(schema_editor)


def _check_now(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A table is not altered while deferred checks of its rows wait."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0004_attempt_is_typed_password"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [
        migrations.CreateModel(
            name="MarkOfTenant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("failure", models.CharField(help_text="As on the attempts of the group", max_length=12)),
                ("standing", models.CharField(choices=STANDINGS, max_length=12)),
                (
                    "until",
                    models.DateTimeField(
                        blank=True, help_text="Ignored until then; null: until it is opened again", null=True
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField()),
                ("author", models.CharField(max_length=150)),
                (
                    "tenant",
                    models.ForeignKey(
                        help_text="Whose failures it is about; null: everybody's",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="failure_marks",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(standing__in=["acknowledged", "ignored"]), name="failure_standing_known"
                    ),
                    models.UniqueConstraint(
                        fields=["failure", "tenant"], condition=Q(tenant__isnull=False), name="failure_mark_of_tenant"
                    ),
                    models.UniqueConstraint(
                        fields=["failure"], condition=Q(tenant__isnull=True), name="failure_mark_of_all"
                    ),
                ],
            },
        ),
        migrations.RunPython(give_to_tenants, give_back),
        migrations.DeleteModel(name="FailureMark"),
        migrations.RenameModel(old_name="MarkOfTenant", new_name="FailureMark"),
    ]
