from __future__ import annotations

from django.db import models


class AuditRow(models.Model):
    """What a person or a key changed: written in the transaction of the change itself."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12, help_text="staff, key, command, link")
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=50)
    tenant = models.ForeignKey("connections.Tenant", on_delete=models.PROTECT, null=True, related_name="audit_rows")
    target = models.CharField(max_length=100, help_text="Public id of what was changed")
    outcome = models.CharField(max_length=10, default="ok")
    address = models.GenericIPAddressField(null=True)
    difference = models.JSONField(default=dict, help_text="Without secrets")
    previous = models.CharField(max_length=64, blank=True, help_text="Digest of the row before")
    digest = models.CharField(max_length=64, unique=True, help_text="HMAC over the row and the digest before")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["target", "id"], name="audit_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
