from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from connections.choices import LinkPurpose, Role


class Staff(models.Model):
    """What a signed-in person may do."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff")
    role = models.CharField(max_length=10, choices=Role.choices, db_comment="What the person may do")
    tenants = models.ManyToManyField("connections.Tenant", blank=True, related_name="staff", help_text="Empty: all")

    class Meta:
        verbose_name_plural = "staff"
        constraints = [models.CheckConstraint(condition=Q(role__in=Role.values), name="staff_role_known")]

    def __str__(self) -> str:
        return f"{self.user_id} ({self.role})"


class OneTimeLink(models.Model):
    """A way in without a password, for one use: to make the first administrator, or to set one's own password."""

    purpose = models.CharField(max_length=20, choices=LinkPurpose.choices, db_comment="What it opens")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="one_time_links"
    )
    digest = models.CharField(max_length=64, unique=True, db_comment="SHA-256 of 256 random bits")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, db_comment="Set: spent")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=LinkPurpose.values), name="link_purpose_known"),
            models.CheckConstraint(
                condition=Q(purpose=LinkPurpose.FIRST_ADMIN, user__isnull=True)
                | Q(purpose=LinkPurpose.SET_PASSWORD, user__isnull=False),
                name="link_user_fits_purpose",
            ),
            models.UniqueConstraint(
                fields=["purpose"],
                condition=Q(purpose=LinkPurpose.FIRST_ADMIN, used_at__isnull=True),
                name="link_one_first_admin",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.user_id or ''}".strip()


class ApiKey(models.Model):
    """A worker's key: stored as a hash, shown once. `sga_<prefix>_<secret>`."""

    name = models.CharField(max_length=150)
    prefix = models.CharField(max_length=16, unique=True, help_text="Its public part")
    secret_hash = models.CharField(max_length=64, db_comment="SHA-256 of 256 random bits")
    scopes = models.JSONField(default=list)
    is_limited = models.BooleanField(default=False, help_text="Limited to the tenants below")
    tenants = models.ManyToManyField("connections.Tenant", blank=True, related_name="api_keys")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, db_comment="Set: it opens nothing any more")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To ten minutes")

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def is_over(self, now: datetime) -> bool:
        """Revoked, or expired at that moment: it opens nothing any more."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)


class IdempotentCall(models.Model):
    """The answer to a call that came with an `Idempotency-Key`: 24 hours, never one with a token."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="idempotent_calls")
    key = models.CharField(max_length=255)
    body_hash = models.CharField(
        max_length=64, db_comment="Keyed hash of method, path and body, to tell a repeated call"
    )
    created_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(
        null=True, help_text="Null while it runs", db_comment="Of the kept answer; null while it runs"
    )
    answer = models.JSONField(null=True)
    headers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="idempotent_key_unique")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_created")]

    def __str__(self) -> str:
        return f"{self.api_key_id}:{self.status or 'running'}"
