from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.choices import AuditOutcome


class AuditRow(models.Model):
    """What a person or a key changed, or was denied: written in the transaction of the change itself.

    A grant outlives its request: one row says that it was begun, a second one (`difference`: `begun`, the number of the
    first) how it ended.

    The database refuses to update a row, and to delete one unless a row of the chain says that it may go
    (`cleared_to`): see the migration `audit_guard`.
    """

    id = models.BigIntegerField(primary_key=True, help_text="Its number in the chain: from 1, without gaps")
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12, help_text="staff, key, command, link")
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=50)
    tenant = models.ForeignKey("connections.Tenant", on_delete=models.PROTECT, null=True, related_name="audit_rows")
    target = models.CharField(max_length=100, help_text="Public id of what was changed")
    outcome = models.CharField(
        max_length=10,
        choices=AuditOutcome.choices,
        default=AuditOutcome.OK,
        db_comment="What became of it; the database holds no list of these words",
    )
    address = models.GenericIPAddressField(null=True)
    difference = models.JSONField(default=dict, help_text="Without secrets")
    cleared_to = models.BigIntegerField(
        null=True, db_comment="A checkpoint of the retention: rows up to this number may be deleted"
    )
    previous = models.CharField(
        max_length=64,
        blank=True,
        help_text="Digest of the row before",
        db_comment="Digest of the row before; empty: the first",
    )
    digest = models.CharField(
        max_length=64,
        unique=True,
        help_text="HMAC over the row and the digest before",
        db_comment="HMAC over the row and the digest before",
    )

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["target", "id"], name="audit_target"),
            models.Index(fields=["actor", "id"], name="audit_actor"),
            models.Index(fields=["at"], name="audit_at"),  # retention, and the page's days
            # asked by the trigger for every row that is to be deleted
            models.Index(fields=["cleared_to"], condition=Q(cleared_to__isnull=False), name="audit_cleared_to"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class AuditCheck(models.Model):
    """What the newest walk along the whole chain found; one row."""

    at = models.DateTimeField()
    rows = models.BigIntegerField()
    head = models.CharField(
        max_length=90,
        blank=True,
        help_text="number:digest of the newest row seen",
        db_comment="number:digest of the newest row seen",
    )
    broken_at = models.BigIntegerField(null=True, help_text="Number of the first row that does not follow")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.head
