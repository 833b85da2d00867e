"""What staff write for each other, and how each wants to see it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from connections.choices import FailureStanding, Theme


class Note(models.Model):
    """A sentence of staff about a connection, for the next who looks at it. Never a secret."""

    connection = models.ForeignKey("connections.Connection", on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    author = models.CharField(max_length=150)
    text = models.TextField(max_length=2000)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["connection", "-at"], name="note_of_connection")]

    def __str__(self) -> str:
        return f"{self.author} at {self.at:%Y-%m-%d %H:%M}"


class FailureMark(models.Model):
    """What staff decided about a group of failures; a group that nobody marked has none and is open.

    It is read by those who may see the tenant, or by everybody where somebody of all tenants marked it.
    """

    failure = models.CharField(max_length=12, help_text="As on the attempts of the group")
    tenant = models.ForeignKey(
        "connections.Tenant",
        on_delete=models.CASCADE,
        null=True,
        related_name="failure_marks",
        help_text="Whose failures it is about; null: everybody's",
    )
    standing = models.CharField(
        max_length=12, choices=FailureStanding.choices, db_comment="What staff decided about the group"
    )
    until = models.DateTimeField(null=True, blank=True, help_text="Ignored until then; null: until it is opened again")
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    author = models.CharField(max_length=150)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(condition=Q(standing__in=FailureStanding.values), name="failure_standing_known"),
            models.UniqueConstraint(
                fields=["failure", "tenant"], condition=Q(tenant__isnull=False), name="failure_mark_of_tenant"
            ),
            models.UniqueConstraint(fields=["failure"], condition=Q(tenant__isnull=True), name="failure_mark_of_all"),
        ]

    def __str__(self) -> str:
        return f"{self.failure} ({self.standing})"


class Profile(models.Model):
    """How one person wants to see the pages; who never chose has none."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Name in the IANA database")
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO, db_comment="Colours of the pages")

    class Meta:
        ordering = ["user"]
        constraints = [models.CheckConstraint(condition=Q(theme__in=Theme.values), name="profile_theme_known")]

    def __str__(self) -> str:
        return f"{self.user_id} ({self.time_zone})"
