"""Every request that leaves the house: address guard, pinned connection, total deadline, size cap."""

from __future__ import annotations

from connections.egress.errors import (
    AddressBlocked,
    AnswerTooLarge,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimeout,
    DeadlineExceeded,
    DnsFailure,
    EgressError,
    HandshakeLost,
    MaybeSent,
    NotSent,
    Paced,
    ProtocolBroken,
    TlsInvalid,
)
from connections.egress.pacing import Pacer
from connections.egress.policy import Policy
from connections.egress.response import Response, Timings
from connections.egress.transport import Egress
from connections.egress.urls import Url, parse_url
from connections.egress.wall import boottime

__all__ = [
    "AddressBlocked",
    "AnswerTooLarge",
    "ConnectTimeout",
    "ConnectionLost",
    "ConnectionRefused",
    "DeadlineExceeded",
    "DnsFailure",
    "Egress",
    "EgressError",
    "HandshakeLost",
    "MaybeSent",
    "NotSent",
    "Paced",
    "Pacer",
    "Policy",
    "ProtocolBroken",
    "Response",
    "Timings",
    "TlsInvalid",
    "Url",
    "boottime",
    "parse_url",
]
