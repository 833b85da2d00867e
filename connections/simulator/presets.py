"""The parameters of one instance, and the releases whose behaviour is known (SUGAR.md sections 1, 2, 4 and 8)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

BUILT_IN_PLATFORMS = (
    "base",
    "mobile",
    "portal",
    "opi",
    "lpi",
    "collabspot",
    "collabspotbackend",
    "discover",
    "gcs",
    "dms",
    "kiosk",
    "sugarlambda",
    "connections",
)

LICENSE_STATES = ("ok", "expired", "validation", "seats_maxed", "installer_locked", "seats_exhausted")


@dataclass(slots=True, kw_only=True)
class Parameters:
    """Everything that differs between two Sugar servers. Times in seconds unless the name says otherwise."""

    version: str = "13.3.0"
    flavor: str = "ENT"
    generation: str = "always"  # row check behind an access token: never | 120s | always
    evict: bool = True  # a grant deletes the other rows of (user, platform); 7.2 and later
    idm: str = "off"  # off | v8 (access from the STS, refresh rows local) | modern
    strict_platforms: bool = True
    num_sessions: dict[str, int] = field(default_factory=lambda: {"mobile": 2})
    access_token_lifetime: int = 3600
    refresh_token_lifetime: int = 1209600
    max_session_lifetime: int | None = None  # caps the whole chain: refreshed tokens inherit the first expiry
    cleanup_probability: float = 0.1
    logout_deletes_row: bool = True
    sudo_keeps_row: bool = False  # needRefresh: the sudo row stays (12 and later)
    verify_ip: bool = False
    source_ip: str = ""  # where requests seem to come from, whatever the socket says
    ip_blocked: bool = False
    rate_limit: int | None = None  # requests per second before the address is blocked (SugarCloud: 20)
    block_seconds: int = 60
    maintenance: bool = False
    license_state: str = "ok"
    seat_check: bool = True  # license_seats_needed exists since 10
    ping_shows_status: bool = False  # 8.0: ping reports maintenance too; from 12.0 it does not
    rest_max: str = "11.23"
    bearer: bool = True  # Authorization: Bearer is read
    allow_oauth_via_get: bool = False
    reads_session_cookie: bool = True  # 12 and later take a PHPSESSID cookie as the session id
    allowed_clients: dict[str, list[str]] = field(default_factory=dict)  # platform -> allowed User-Agent prefixes
    checks_user_agent: bool = False  # 14.0 and later
    language: str = "en_us"  # en_us | de_DE | raw (labels, as before the language is loaded)
    force_language: bool = False  # ignore `current_language`
    lockout_tries: int | None = None
    lockout_minutes: int | None = None  # None: until an admin unlocks
    expire_password_after_logins: int | None = None
    external_login_url: str = ""  # SAML or IDM: failed sign-ins carry it
    portal_configured: bool = False
    sts_up: bool = True
    revoke_family: bool = True  # a rotated IDM refresh token, used again, kills its whole family
    introspection_ttl: int = 0  # cached answers of the STS: revocation lag
    idm_rejects: str = ""  # "" | scope | tenant | user: idm_nonrecoverable_error
    tenant: str = "srn:cloud:idp:eu:0000000001:tenant"
    legacy_api: bool = True  # service/v4_1/rest.php
    rewrite: bool = True  # False: only api/rest.php/v10/… works
    subfolder: str = ""
    skew: float = 0.0  # the server's clock minus ours
    site_key: str = "site-1"  # unique_key; differs after a copy

    def __post_init__(self) -> None:
        if self.license_state not in LICENSE_STATES:
            raise ValueError(f"license_state must be one of {', '.join(LICENSE_STATES)}")
        if self.generation not in ("never", "120s", "always"):
            raise ValueError("generation must be never, 120s or always")
        if self.idm not in ("off", "v8", "modern"):
            raise ValueError("idm must be off, v8 or modern")


_SEVEN = Parameters(
    version="7.7.0.0",
    generation="120s",
    strict_platforms=False,
    logout_deletes_row=False,
    seat_check=False,
    ping_shows_status=True,
    rest_max="10",
    bearer=False,
    allow_oauth_via_get=True,
    reads_session_cookie=False,
)
_EIGHT = replace(_SEVEN, version="8.0.0", strict_platforms=True, rest_max="11.1", allow_oauth_via_get=False)
_TWELVE = Parameters(version="12.0.0", generation="120s", rest_max="11.16")
_FOURTEEN = Parameters(version="14.0.0", rest_max="11.24", checks_user_agent=True)

PRESETS: dict[str, Parameters] = {
    "7.1": replace(_SEVEN, version="7.1.6", generation="never", evict=False),
    "7.7": _SEVEN,
    "8.0": _EIGHT,
    "12.0": _TWELVE,
    "13.3": Parameters(),
    "14.0": _FOURTEEN,
    "cloud": replace(
        _FOURTEEN,
        idm="modern",
        external_login_url="https://login.service.sugarcrm.example/oauth2/auth?scope=offline&response_type=code",
    ),
}


def parameters_of(preset: str, **overrides: object) -> Parameters:
    """A fresh copy of a preset; an unknown preset or parameter raises ValueError."""
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}: one of {', '.join(PRESETS)}")
    known = PRESETS[preset]
    own: dict[str, object] = {"num_sessions": dict(known.num_sessions), "allowed_clients": {}}
    return replace_parameters(known, {**own, **overrides})


def replace_parameters(parameters: Parameters, changes: dict[str, object]) -> Parameters:
    """The same parameters with some changed, checked as a whole."""
    try:
        return replace(parameters, **changes)  # type: ignore[arg-type]
    except TypeError as exc:
        raise ValueError(f"unknown parameter: {exc}") from exc
