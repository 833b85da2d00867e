from __future__ import annotations

from django.db import models

from connections.models.fields import SealedField


class HostWait(models.Model):
    """A host that does not answer: one probe for all of its connections."""

    host = models.CharField(max_length=300, primary_key=True, help_text="host:port")
    down_since = models.DateTimeField()
    next_probe_at = models.DateTimeField()
    fault = models.CharField(max_length=32, db_comment="How it failed when it was last asked")

    class Meta:
        ordering = ["host"]

    def __str__(self) -> str:
        return self.host


class Heartbeat(models.Model):
    """A sign of life of one background process; `name` is its role on its host."""

    name = models.CharField(max_length=200, primary_key=True)
    pid = models.PositiveIntegerField()
    beat_at = models.DateTimeField()
    started_at = models.DateTimeField()
    ring = models.JSONField(default=list, db_comment="Ids of the encryption keys it holds, the one that seals first")
    spooled = models.JSONField(default=list, db_comment="Ids of those that answers on its disk need")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Turn(models.Model):
    """Whose turn a periodic task is: taken by compare-and-set, so that N tickers make one round."""

    name = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class EncryptionKey(models.Model):
    """A known value per key: tells a wrong key from a right one before anything is written with it.

    It outlives the key: a name never comes to mean other bytes, since a backup may hold what the old ones sealed.
    """

    key_id = models.CharField(max_length=16, primary_key=True)
    check_value = models.CharField(max_length=64, db_comment="HMAC with the key: tells a wrong one from the right one")
    first_seen_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, db_comment="It left the ring, and nothing needed it")

    class Meta:
        ordering = ["first_seen_at"]

    def __str__(self) -> str:
        return self.key_id


class OwnKey(models.Model):
    """A key that the installation makes for itself and keeps for good, sealed like every secret.

    It lies in the database, so that all nodes have the same one without anybody carrying it about.
    """

    purpose = models.CharField(max_length=20)
    secret = SealedField(db_comment="Sealed; it never rotates, what seals it does")
    made_at = models.DateTimeField()
    given_up_at = models.DateTimeField(null=True, db_comment="What sealed it was lost; another one took its place")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose"], condition=models.Q(given_up_at__isnull=True), name="own_key_one_in_use"
            )
        ]

    def __str__(self) -> str:
        return self.purpose


class Installation(models.Model):
    """One row: what this database knows of itself (a copy of it must not make grants)."""

    instance_id = models.CharField(max_length=64)
    fingerprint = models.JSONField(
        default=dict, db_comment="What a copy of the database has differently; no secret in it"
    )
    confirmed_at = models.DateTimeField(null=True)
    read_only_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.instance_id
