from __future__ import annotations

from django.db import models

from connections.models.fields import tenant_id


class Tenant(models.Model):
    """A customer of ours; owns connections."""

    public_id = models.CharField(max_length=12, unique=True, editable=False, default=tenant_id)
    slug = models.SlugField(max_length=63, unique=True, help_text="Short name used by the API, e.g. acme")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    data_key = models.CharField(
        max_length=16, blank=True, default="", db_comment="Name of its own key, which lies outside; empty: none"
    )

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["data_key"], condition=~models.Q(data_key=""), name="tenant_data_key_unique"
            )
        ]

    def __str__(self) -> str:
        return self.slug
