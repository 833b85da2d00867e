from __future__ import annotations

from connections.models.access import ApiKey, IdempotentCall, OneTimeLink, Staff
from connections.models.attempt import Attempt
from connections.models.audit import AuditCheck, AuditRow
from connections.models.clock import DatabaseLater, DatabaseNow, database_now
from connections.models.connection import Connection, ConnectionTag
from connections.models.desk import FailureMark, Note, Profile
from connections.models.draft import Draft, LentPassword
from connections.models.event import Event
from connections.models.installation import EncryptionKey, Heartbeat, HostWait, Installation, OwnKey, Turn
from connections.models.link import CustomerLink
from connections.models.tenant import Tenant
from connections.models.token import TokenVersion

__all__ = [
    "ApiKey",
    "Attempt",
    "AuditCheck",
    "AuditRow",
    "Connection",
    "ConnectionTag",
    "CustomerLink",
    "DatabaseLater",
    "DatabaseNow",
    "Draft",
    "EncryptionKey",
    "Event",
    "FailureMark",
    "Heartbeat",
    "HostWait",
    "IdempotentCall",
    "Installation",
    "LentPassword",
    "Note",
    "OneTimeLink",
    "OwnKey",
    "Profile",
    "Staff",
    "Tenant",
    "TokenVersion",
    "Turn",
    "database_now",
]
