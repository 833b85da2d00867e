from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.choices import DiagnosisCode, EventKind, Status


class Event(models.Model):
    """One line of a connection's history: written with what it records, never changed."""

    connection = models.ForeignKey("connections.Connection", on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField(help_text="Within the connection")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=EventKind.choices, db_comment="What happened")
    code = models.CharField(
        max_length=32, choices=DiagnosisCode.choices, blank=True, db_comment="The diagnosis it is about; empty: none"
    )
    status = models.CharField(
        max_length=12,
        choices=Status.choices,
        blank=True,
        help_text="Of the connection right after it",
        db_comment="Of the connection right after it; empty: not known",
    )
    summary = models.CharField(max_length=500)
    attempt = models.PositiveIntegerField(null=True)
    version = models.PositiveIntegerField(null=True)
    actor = models.CharField(max_length=150)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "number"], name="event_number_unique"),
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="event_kind_known"),
            models.CheckConstraint(condition=Q(code__in=["", *DiagnosisCode.values]), name="event_code_known"),
            models.CheckConstraint(condition=Q(status__in=["", *Status.values]), name="event_status_known"),
        ]
        indexes = [
            models.Index(fields=["at"], name="event_at"),  # pruning
            models.Index(fields=["connection", "at"], name="event_timeline"),  # the plot of one connection
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.number}"
