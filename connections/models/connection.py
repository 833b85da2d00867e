from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from connections.choices import BUILT_IN_PLATFORMS, DiagnosisCode, Generation, Trouble
from connections.models.fields import SealedField, connection_id
from connections.models.status import ConnectionQuerySet


class Connection(models.Model):
    """One (Sugar instance, user, platform) that we keep alive.

    Who it is and what staff entered comes first; the state of its chain below is written by
    `custody.ledger` alone.
    """

    public_id = models.CharField(max_length=12, unique=True, editable=False, default=connection_id)
    tenant = models.ForeignKey("connections.Tenant", on_delete=models.PROTECT, related_name="connections")
    label = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200, blank=True)
    instance_url = models.CharField(max_length=500, help_text="Base address, as normalised from what was pasted")
    host = models.CharField(max_length=300, help_text="host:port, the unit of pacing")
    rest_path = models.CharField(max_length=40, default="rest/v10")
    ca_pem = models.TextField(blank=True, help_text="Own certificate authority of the instance, PEM")
    platform = models.CharField(max_length=127)
    platform_key = models.CharField(max_length=127, editable=False)
    username = models.CharField(max_length=255)
    username_key = models.CharField(max_length=255, editable=False)
    client_id = models.CharField(max_length=255, default="sugar")
    allow_shared_platform = models.BooleanField(default=False)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_email = models.EmailField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="owned_connections"
    )
    server_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long the server may still work on a request we gave up on"
    )

    password = SealedField(null=True, blank=True, db_comment="Sealed; null: not stored")
    password_number = models.PositiveIntegerField(default=0, db_comment="Count of saves; part of the seal")
    password_set_at = models.DateTimeField(null=True, blank=True)  # saved, or last taken by Sugar
    store_password = models.BooleanField(default=True)
    client_secret = SealedField(null=True, blank=True, db_comment="Sealed; null: none, as for the client `sugar`")
    client_secret_number = models.PositiveIntegerField(default=0, db_comment="Count of saves; part of the seal")
    adopted_token = SealedField(null=True, blank=True, db_comment="Sealed refresh token of a chain to adopt")
    adopted_number = models.PositiveIntegerField(default=0, db_comment="Count of saves; part of the seal")

    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True, db_comment="Set: every secret is wiped")
    paused_at = models.DateTimeField(
        null=True, blank=True, db_comment="Set: no grant by itself; a living token is still handed out"
    )
    held_at = models.DateTimeField(
        null=True, blank=True, db_comment="Set: nothing is sent or handed out until staff resume it"
    )
    snoozed_until = models.DateTimeField(null=True, blank=True, help_text="Nobody is called before; refreshes go on")
    snooze_reason = models.CharField(max_length=300, blank=True)
    snoozed_by = models.CharField(max_length=150, blank=True)

    # -- what custody knows; written by the ledger alone
    generation = models.PositiveIntegerField(default=1, db_comment="Fence: grows when the triple or client changes")
    version_count = models.PositiveIntegerField(default=0, db_comment="Number of the newest token version")
    attempt_count = models.PositiveIntegerField(default=0, db_comment="Number of the newest attempt")
    event_count = models.PositiveIntegerField(default=0)
    chain = models.PositiveIntegerField(default=0, db_comment="Number of the newest sign-in")
    chain_ends_at = models.DateTimeField(null=True, db_comment="Where the instance caps sessions")
    is_new_chain_wanted = models.BooleanField(
        default=False, db_comment="Its chain belongs to what was before an edit: sign in again"
    )
    is_client_changed = models.BooleanField(
        default=False, db_comment="That edit changed the OAuth client and nothing else"
    )
    doubt_after = models.PositiveIntegerField(
        null=True, db_comment="In doubt; only an attempt with a higher number clears it"
    )
    doubt_began = models.PositiveIntegerField(null=True, db_comment="First attempt of this episode of doubt")
    trouble = models.CharField(
        max_length=12,
        choices=Trouble.choices,
        blank=True,
        default=Trouble.NONE,
        db_comment="The stored half of the status; empty: none",
    )
    trouble_since = models.DateTimeField(null=True)
    diagnosis_code = models.CharField(
        max_length=32, choices=DiagnosisCode.choices, blank=True, db_comment="What the rules found last; empty: nothing"
    )
    diagnosis = models.JSONField(null=True)
    failures = models.PositiveIntegerField(default=0, db_comment="Tries since the last success: the back-off")
    next_refresh_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True, db_comment="In trouble: no try by itself before this")
    is_key_missing = models.BooleanField(default=False, db_comment="A secret of it could not be opened")
    due_at = models.DateTimeField(null=True, db_comment="When the background should look at it next")
    signed_in_at = models.DateTimeField(null=True, db_comment="Start of the running chain")
    last_success_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, db_comment="To ten minutes: who is warm")
    superseded_at = models.DateTimeField(null=True)
    superseded_before_at = models.DateTimeField(null=True)
    dead_tried_at = models.DateTimeField(null=True, db_comment="Last daily try of a dead refresh token")
    report_streak = models.PositiveIntegerField(default=0)
    report_grant_at = models.DateTimeField(null=True)
    report_wait_until = models.DateTimeField(null=True, db_comment="Workers report too often: no grant before this")
    session_generation = models.CharField(
        max_length=8,
        choices=Generation.choices,
        default=Generation.UNKNOWN,
        help_text="How it checks sessions",
        db_comment="When the instance checks the session behind a token",
    )
    sugar_version = models.CharField(max_length=40, blank=True)
    rest_version_at = models.DateTimeField(null=True)
    is_session_bound = models.BooleanField(default=False, db_comment="A `session_rejected` was seen: no more pings")
    is_admin_user = models.BooleanField(default=False)
    is_password_expired = models.BooleanField(default=False, db_comment="Sugar said so: a warning")
    # of the live version, kept here so that the status is one expression over one table
    access_expires_at = models.DateTimeField(null=True)
    access_dead_at = models.DateTimeField(null=True)
    access_doubtful_until = models.DateTimeField(null=True, db_comment="A good ping may still be a cached one")
    probe_due_at = models.DateTimeField(null=True, db_comment="Next ping of its access token: proof or look")
    refresh_expires_at = models.DateTimeField(null=True)
    has_refresh_token = models.BooleanField(default=False, db_comment="Stored and not refused")
    answer_lost_at = models.DateTimeField(null=True, db_comment="An open attempt knows that its answer is lost")

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["instance_url", "username_key", "platform_key"],
                condition=Q(deleted_at__isnull=True),
                name="connection_triple_unique",
                violation_error_message="Another connection already uses this instance, user and platform: "
                "each sign-in of one would end the session of the other.",
            ),
            models.UniqueConstraint(
                fields=["tenant", "external_id"],
                condition=Q(deleted_at__isnull=True) & ~Q(external_id=""),
                name="connection_external_id_unique",
            ),
            models.CheckConstraint(condition=Q(trouble__in=Trouble.values), name="connection_trouble_known"),
            models.CheckConstraint(
                condition=Q(diagnosis_code__in=["", *DiagnosisCode.values]), name="connection_diagnosis_known"
            ),
            models.CheckConstraint(
                condition=Q(session_generation__in=Generation.values), name="connection_generation_known"
            ),
            models.CheckConstraint(
                condition=Q(allow_shared_platform=True) | ~Q(platform_key__in=sorted(BUILT_IN_PLATFORMS)),
                name="connection_platform_is_own",
            ),
            models.CheckConstraint(
                condition=Q(doubt_after__isnull=True, doubt_began__isnull=True)
                | Q(doubt_after__isnull=False, doubt_began__isnull=False),
                name="connection_doubt_whole",
            ),
            models.CheckConstraint(
                condition=Q(trouble=Trouble.NONE, trouble_since__isnull=True)
                | (~Q(trouble=Trouble.NONE) & Q(trouble_since__isnull=False)),
                name="connection_trouble_has_time",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True)
                | Q(password__isnull=True, client_secret__isnull=True, adopted_token__isnull=True),
                name="connection_deleted_keeps_no_secret",
            ),
        ]
        indexes = [
            # the background: what is due, oldest first
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="connection_due"),
            models.Index(fields=["host", "trouble"], name="connection_host_trouble"),
            models.Index(fields=["trouble", "id"], condition=Q(deleted_at__isnull=True), name="connection_trouble"),
            models.Index(Lower("label"), name="connection_label"),
            # every page: how many need a person; the overview and the list: which
            models.Index(
                fields=["id"],
                condition=Q(deleted_at__isnull=True) & (Q(trouble=Trouble.PERSON) | Q(password__isnull=True)),
                name="connection_needs_person",
            ),
            # the overview: how many access tokens end when, and hosts with several in trouble
            models.Index(
                fields=["access_expires_at"],
                condition=Q(deleted_at__isnull=True, access_dead_at__isnull=True),
                name="connection_expiry_horizon",
            ),
            models.Index(
                fields=["host"],
                condition=Q(deleted_at__isnull=True) & ~Q(trouble=Trouble.NONE),
                name="connection_troubled_hosts",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    def save(self, **kwargs: object) -> None:
        self.platform_key = self.platform.lower()
        self.username_key = self.username.lower()
        super().save(**kwargs)  # type: ignore[arg-type]

    def get_absolute_url(self) -> str:
        return reverse("connections:detail", args=[self.public_id])


class ConnectionTag(models.Model):
    """A word that staff or an integration put on a connection."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["connection", "name"], name="tag_unique")]
        indexes = [models.Index(fields=["name", "connection"], name="tag_name")]

    def __str__(self) -> str:
        return self.name
