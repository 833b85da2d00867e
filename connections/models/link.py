from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.choices import LinkKind
from connections.models.fields import link_id


class CustomerLink(models.Model):
    """An address that staff send to a customer: to enter the password, or to read the set-up guide.

    It belongs to one generation of its connection and dies with it. Whether it was used, and how often Sugar
    refused what was typed, the journal says: see `attempts`.
    """

    public_id = models.CharField(max_length=12, unique=True, editable=False, default=link_id)
    connection = models.ForeignKey("connections.Connection", on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=10, choices=LinkKind.choices, db_comment="What the customer finds behind it")
    token_hash = models.CharField(max_length=64, unique=True, db_comment="HMAC of 256 random bits; shown once")
    generation = models.PositiveIntegerField(help_text="The connection's when the link was made: another voids it")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="First shown; a mail scanner may have been first")
    revoked_at = models.DateTimeField(null=True, db_comment="Set: it opens nothing any more")
    asked_at = models.DateTimeField(null=True, help_text="The customer last asked for a new one")
    submissions = models.PositiveIntegerField(default=0, db_comment="Counted by compare-and-set: once per form")
    submitted_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True, help_text="What the last submission came to was shown")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=LinkKind.values), name="link_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=LinkKind.SIGN_IN) | Q(submissions=0), name="link_guide_takes_no_password"
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-id"], name="link_of_connection"),
            models.Index(fields=["expires_at"], name="link_expires"),  # pruning
        ]

    def __str__(self) -> str:
        return self.public_id
