"""What can go wrong on the way out.

EgressError
├── NotSent              no byte of the request left the house: it may be repeated
│   ├── AddressBlocked
│   ├── DnsFailure
│   ├── ConnectionRefused
│   ├── ConnectTimeout
│   ├── HandshakeLost
│   ├── TlsInvalid
│   └── Paced
└── MaybeSent            the other side may have carried the request out
    ├── ConnectionLost
    ├── DeadlineExceeded
    ├── AnswerTooLarge
    └── ProtocolBroken

Messages are sentences of ours: no query, no body, no header value, no resolved address (it would let a stranger read
our internal names through our error texts).
"""

from __future__ import annotations

from typing import ClassVar

from connections.egress.response import Response, Timings


class EgressError(Exception):
    """A request did not yield a whole answer; `partial` is what came of it."""

    sent: ClassVar[bool] = False
    partial: Response | None = None
    timings: Timings = Timings()


class NotSent(EgressError):
    """Nothing was sent: not a byte of the request left."""


class AddressBlocked(NotSent):
    """The address guard does not let requests go there."""


class DnsFailure(NotSent):
    """The host name has no address, or the name server did not say it in time."""


class ConnectionRefused(NotSent):
    """No address of the host accepted the connection."""


class ConnectTimeout(NotSent):
    """The connection, or its TLS handshake, was not ready in time."""


class HandshakeLost(NotSent):
    """The other side hung up during the TLS handshake."""


class TlsInvalid(NotSent):
    """The certificate or the TLS of the other side cannot be trusted."""


class Paced(NotSent):
    """Our own pacing to this host left no turn within the deadline."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MaybeSent(EgressError):
    """The request, or a part of it, left: what became of it is unknown."""

    sent = True


class ConnectionLost(MaybeSent):
    """The other side hung up or reset the connection before the answer was whole."""


class DeadlineExceeded(MaybeSent):
    """The answer was not whole when the total deadline was over."""


class AnswerTooLarge(MaybeSent):
    """The answer was larger than the caller wants to hold."""


class ProtocolBroken(MaybeSent):
    """What came back is not HTTP."""
