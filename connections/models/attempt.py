from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.choices import GRANT_KINDS, OPEN_STATES, AttemptKind, AttemptState, DiagnosisCode, Fault, Rung, Trigger
from connections.models.fields import SealedField, attempt_id

IS_OPEN_GRANT = Q(state__in=[*OPEN_STATES], kind__in=[*GRANT_KINDS])
IS_CLOSED_GRANT = Q(closed_at__isnull=False, kind__in=[*GRANT_KINDS])


class Attempt(models.Model):
    """One row of the journal: a grant, test or probe, written down before anything is sent."""

    public_id = models.CharField(max_length=12, unique=True, editable=False, default=attempt_id)
    connection = models.ForeignKey("connections.Connection", on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    kind = models.CharField(
        max_length=12, choices=AttemptKind.choices, db_comment="Refresh and password are grants, the rest only looks"
    )
    rung = models.CharField(
        max_length=16,
        choices=Rung.choices,
        blank=True,
        default=Rung.NONE,
        db_comment="Step of the resolve ladder; empty: a plain one",
    )
    trigger = models.CharField(max_length=12, choices=Trigger.choices, db_comment="Who asked for it")
    actor = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=12, choices=AttemptState.choices, db_comment="Only the ledger writes it")

    generation = models.PositiveIntegerField(help_text="Fence: the connection's generation when it was claimed")
    chain = models.PositiveIntegerField(default=0)
    base_version = models.PositiveIntegerField(null=True)
    candidate_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="proofs")
    is_first_sign_in = models.BooleanField(default=False)
    is_typed_password = models.BooleanField(
        default=False, db_default=False, db_comment="It presented what a person typed, not the stored password"
    )
    link = models.ForeignKey(
        "connections.CustomerLink", on_delete=models.SET_NULL, null=True, related_name="attempts"
    )  # through which the customer typed the password

    # The triple at the time of the claim: an edit must not free it while the grant may still be under way.
    instance_url = models.CharField(max_length=500)
    username_key = models.CharField(max_length=255)
    platform_key = models.CharField(max_length=127)

    claimed_at = models.DateTimeField()
    send_by = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    drain_until = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True, db_comment="Its sender knows that the answer is lost")
    closed_at = models.DateTimeField(null=True)
    answer = SealedField(null=True, blank=True, db_comment="Sealed late or cut answer: a candidate")

    fault = models.CharField(
        max_length=32,
        choices=Fault.choices,
        blank=True,
        db_comment="What its answer, or the lack of one, showed; empty: nothing wrong",
    )
    http_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=100, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    external_login_host = models.CharField(max_length=255, blank=True)
    lockout_until = models.DateTimeField(null=True)
    is_refused_try = models.BooleanField(default=False, db_comment="Counts for the breaker of (instance, user)")
    preflight_fault = models.CharField(
        max_length=32,
        choices=Fault.choices,
        blank=True,
        db_comment="What the look before it showed; set: nothing was sent",
    )
    preflight_status = models.PositiveSmallIntegerField(null=True)
    verify_fault = models.CharField(
        max_length=32,
        choices=Fault.choices,
        blank=True,
        db_comment="What the ping with the new token showed; empty: alive, or no ping",
    )
    verify_status = models.PositiveSmallIntegerField(null=True)
    version = models.PositiveIntegerField(null=True, help_text="The token version it yielded")
    diagnosis_code = models.CharField(
        max_length=32,
        choices=DiagnosisCode.choices,
        blank=True,
        help_text="What the rules made of its failure",
        db_comment="What the rules made of its failure; empty: nothing",
    )
    failure = models.CharField(
        max_length=12,
        blank=True,
        help_text="Fingerprint of diagnosis, host and the message without its numbers",
        db_comment="Names its group of failures; no secret in it; empty: none",
    )
    timings = models.JSONField(default=dict, help_text="Milliseconds by phase")
    report = models.JSONField(default=dict, help_text="Request and answer without secrets; checks of a test")

    class Meta:
        ordering = ["connection", "number"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "number"], name="attempt_number_unique"),
            models.UniqueConstraint(
                fields=["connection"], condition=IS_OPEN_GRANT, name="attempt_one_open_per_connection"
            ),
            models.UniqueConstraint(
                fields=["instance_url", "username_key", "platform_key"],
                condition=IS_OPEN_GRANT,
                name="attempt_one_open_per_triple",
            ),
            models.CheckConstraint(condition=Q(state__in=AttemptState.values), name="attempt_state_known"),
            models.CheckConstraint(condition=Q(kind__in=AttemptKind.values), name="attempt_kind_known"),
            models.CheckConstraint(condition=Q(rung__in=Rung.values), name="attempt_rung_known"),
            models.CheckConstraint(condition=Q(trigger__in=Trigger.values), name="attempt_trigger_known"),
            models.CheckConstraint(condition=Q(fault__in=["", *Fault.values]), name="attempt_fault_known"),
            models.CheckConstraint(
                condition=Q(preflight_fault__in=["", *Fault.values]), name="attempt_preflight_fault_known"
            ),
            models.CheckConstraint(
                condition=Q(verify_fault__in=["", *Fault.values]), name="attempt_verify_fault_known"
            ),
            models.CheckConstraint(
                condition=Q(diagnosis_code__in=["", *DiagnosisCode.values]), name="attempt_diagnosis_known"
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, drain_until__isnull=True)
                | Q(sent_at__isnull=False, drain_until__isnull=False),
                name="attempt_sent_has_drain",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*OPEN_STATES], closed_at__isnull=True)
                | (~Q(state__in=[*OPEN_STATES]) & Q(closed_at__isnull=False)),
                name="attempt_closed_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=AttemptState.CLAIMED) | Q(sent_at__isnull=True), name="attempt_claimed_not_sent"
            ),
            models.CheckConstraint(
                condition=~Q(state=AttemptState.SENT) | Q(sent_at__isnull=False), name="attempt_sent_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(state=AttemptState.ANSWERED) | Q(answer__isnull=False), name="attempt_answered_has_answer"
            ),
        ]
        indexes = [
            # the breakers: refused tries and recent sign-ins of one (instance, user)
            models.Index(
                fields=["instance_url", "username_key", "closed_at"],
                condition=Q(is_refused_try=True),
                name="attempt_refused_tries",
            ),
            # the breakers: what people tried for one (instance, user) within the hour
            models.Index(
                fields=["instance_url", "username_key", "claimed_at"],
                condition=Q(kind=AttemptKind.PASSWORD),
                name="attempt_sign_ins",
            ),
            # the bound on grants per hour, and sign-ins per day
            models.Index(fields=["connection", "sent_at"], name="attempt_sent_grants"),
            # pruning
            models.Index(fields=["claimed_at"], name="attempt_claimed_at"),
            # the overview: grants of each hour by outcome
            models.Index(fields=["claimed_at", "state"], condition=IS_CLOSED_GRANT, name="attempt_hourly_outcomes"),
            # errors of the fleet: failures of the last days, and those of one group
            models.Index(fields=["claimed_at", "failure"], condition=~Q(failure=""), name="attempt_failures"),
            models.Index(fields=["failure", "claimed_at"], condition=~Q(failure=""), name="attempt_failures_of_group"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.kind}, {self.state})"
