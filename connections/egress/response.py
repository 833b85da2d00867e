"""A whole answer, or as much of it as came."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Milliseconds each stage took, 0 where it was not needed. `total_ms` includes waiting for a turn."""

    dns_ms: int = 0
    connect_ms: int = 0
    tls_ms: int = 0
    first_byte_ms: int = 0
    total_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Status, headers and decoded body. `is_cut`: the connection or the deadline ended before the body did."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)  # Set-Cookie holds a download token
    body: bytes = field(repr=False)
    is_cut: bool = False
    timings: Timings = field(default_factory=Timings)
    certificate_ends: int | None = None  # seconds since 1970; None: no TLS

    def header(self, name: str) -> str:
        """The first value under this name in any case; empty where there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")
