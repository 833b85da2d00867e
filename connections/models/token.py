from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.choices import Origin, VersionState
from connections.models.fields import SealedField


class TokenVersion(models.Model):
    """What one successful grant yielded. Number, origin, times and fingerprints never change."""

    connection = models.ForeignKey("connections.Connection", on_delete=models.PROTECT, related_name="versions")
    attempt = models.ForeignKey(
        "connections.Attempt", on_delete=models.SET_NULL, null=True, related_name="yielded"
    )  # history may be pruned, versions of the running chain may not
    number = models.PositiveIntegerField()
    chain = models.PositiveIntegerField(help_text="Number of the sign-in this version descends from")
    origin = models.CharField(max_length=12, choices=Origin.choices, db_comment="Kind of grant it came from")
    state = models.CharField(
        max_length=12, choices=VersionState.choices, default=VersionState.LIVE, db_comment="Moves one way"
    )
    access_token = SealedField(null=True, blank=True, db_comment="Sealed; null once it is of no use")
    refresh_token = SealedField(null=True, blank=True, db_comment="Sealed; null once a later version is proven")
    fingerprint = models.CharField(
        max_length=8,
        help_text="Keyed fingerprint of the access token",
        db_comment="Keyed, of the access token; empty: no key was at hand",
    )
    refresh_fingerprint = models.CharField(
        max_length=8, blank=True, db_comment="Keyed, of the refresh token; empty: none came, or no key was at hand"
    )
    issued_at = models.DateTimeField()
    access_expires_at = models.DateTimeField()
    refresh_expires_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True, db_comment="Proven alive after the grant")
    access_dead_at = models.DateTimeField(null=True, db_comment="A ping found the access token dead")
    pinged_at = models.DateTimeField(null=True, db_comment="Last ping on a worker's report")
    ping_taken_until = models.DateTimeField(null=True, db_comment="Somebody is pinging for a report")
    ended_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True, db_comment="Sugar definitely refused its refresh token")

    class Meta:
        ordering = ["connection", "number"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "number"], name="token_number_unique"),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state=VersionState.LIVE), name="token_one_live_version"
            ),
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="token_state_known"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="token_origin_known"),
            models.CheckConstraint(
                condition=~Q(state=VersionState.LIVE) | Q(access_token__isnull=False), name="token_live_has_secret"
            ),
            models.CheckConstraint(
                condition=Q(state=VersionState.LIVE) | Q(ended_at__isnull=False), name="token_ended_has_time"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="token_number_positive"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"
