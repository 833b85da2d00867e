from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from connections.models.fields import SealedField, draft_id


class Draft(models.Model):
    """A connection in the making: what staff have entered so far, step by step. It holds no secret.

    Once address, platform and user are known the connection itself is born, and has the last word on them.
    """

    public_id = models.CharField(max_length=12, unique=True, editable=False, default=draft_id)
    tenant = models.ForeignKey("connections.Tenant", on_delete=models.PROTECT, related_name="drafts")
    connection = models.OneToOneField(
        "connections.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="draft"
    )
    label = models.CharField(max_length=200)
    instance_url = models.CharField(max_length=500)
    rest_path = models.CharField(max_length=40, default="rest/v10")
    ca_pem = models.TextField(blank=True)
    platform = models.CharField(max_length=127, blank=True)
    allow_shared_platform = models.BooleanField(default=False)
    findings = models.JSONField(default=list, help_text="What the looks at the address showed, in sentences")
    platform_findings = models.JSONField(default=list)
    checks = models.JSONField(default=list, help_text="How far the test came: one entry per check")
    created_by = models.CharField(max_length=150)
    updated_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    expired_at = models.DateTimeField(null=True, blank=True, help_text="Nobody went on; kept a while as a notice")

    class Meta:
        ordering = ["-updated_at", "-id"]
        indexes = [
            # the list: what is unfinished, newest first
            models.Index(fields=["-updated_at"], condition=Q(connection__isnull=True), name="draft_unfinished"),
        ]

    def __str__(self) -> str:
        return self.public_id

    def get_absolute_url(self) -> str:
        return reverse("connections:draft", args=[self.public_id])


class LentPassword(models.Model):
    """A password that is not stored: it lives half an hour, for the one browser session it was typed in."""

    connection = models.OneToOneField("connections.Connection", on_delete=models.CASCADE, related_name="lent_password")
    secret = SealedField(null=True, blank=True, db_comment="Sealed; null: taken back")
    number = models.PositiveIntegerField(default=0, db_comment="Count of loans; part of the seal")
    session = models.CharField(
        max_length=64,
        blank=True,
        help_text="Keyed hash of the session it belongs to",
        db_comment="Keyed hash of the browser session it was typed in",
    )
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(secret__isnull=True) | Q(until__isnull=False) & ~Q(session=""), name="lent_password_ends"
            )
        ]
        indexes = [
            # the background: what is to be forgotten
            models.Index(fields=["until"], condition=Q(secret__isnull=False), name="lent_password_until"),
        ]

    def __str__(self) -> str:
        return f"lent password of {self.connection_id}"
