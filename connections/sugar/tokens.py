"""What a grant yields, with lifetimes that can be believed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from connections.sugar.wire import Json

ACCESS_LIFETIME_MAX = 86_400  # nothing above 24 hours is believed
# Where Sugar states none, or a zero, a negative or a text: a quarter of its default hour. Long enough that the
# refreshes stay few, short enough that a token is renewed well before the default would end it.
ACCESS_LIFETIME_UNKNOWN = 900
EPOCH_FROM = 1_000_000_000  # SugarIdentity answers `refresh_expires_in` with time() + lifetime (SUGAR.md section 0.6)
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


class BadToken(ValueError):
    """The answer to a grant holds no token that could be stored and sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """`refresh_token` None: the answer had none, the caller carries the old one on.

    Lifetimes in seconds from the receipt; `refresh_expires_in` None: not known.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    refresh_expires_in: int | None


def read_tokens(document: dict[str, Json], *, now_epoch: float | None) -> TokenSet:
    """The tokens of a grant's answer; BadToken if one is missing or malformed. `now_epoch`: the server's clock."""
    refresh_token = document.get("refresh_token") or None
    return TokenSet(
        access_token=_token(document.get("access_token")),
        refresh_token=None if refresh_token is None else _token(refresh_token),
        expires_in=_access_lifetime(document.get("expires_in"), now_epoch),
        refresh_expires_in=_lifetime(document.get("refresh_expires_in"), now_epoch),
    )


def _token(value: Json) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise BadToken
    return value


def _access_lifetime(value: Json, now_epoch: float | None) -> int:
    seconds = _lifetime(value, now_epoch)
    return ACCESS_LIFETIME_UNKNOWN if seconds is None else min(seconds, ACCESS_LIFETIME_MAX)


def _lifetime(value: Json, now_epoch: float | None) -> int | None:
    """Whole seconds; an absolute time becomes a distance; None for what cannot be one."""
    seconds = _number(value)
    if seconds is None:
        return None
    if seconds > EPOCH_FROM:
        if now_epoch is None:
            return None
        seconds -= now_epoch
    return int(seconds) if 1 <= seconds <= EPOCH_FROM else None


def _number(value: Json) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return float(value)
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return None
