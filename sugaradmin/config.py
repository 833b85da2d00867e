"""The configuration of an installation as one value: `settings.SUGARADMIN`.

Every duration is a timedelta. Each field names its variable in the comment of its group; docs/configuration.md explains
them to operators.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from connections.vault import Keyring, KeyringInvalid
from sugaradmin import key_providers, keys
from sugaradmin.env import EnvError, Environment, Network

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
DEVELOPMENT_URL = "http://127.0.0.1:8000"
MailSecurity = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mail leaves; without a host nothing is sent, messages go to the log."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSignOn:
    """An identity provider that speaks OpenID Connect."""

    issuer: str
    """Without a slash at the end; its description lies below, at /.well-known/openid-configuration."""
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    """What the button says."""
    claim: str
    """In which claim it says the user name here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the operator decided. Made once at start by `load`, never changed."""

    # The installation: ENV, DATA_DIR, INSTANCE_ID, BASE_URL, ALLOWED_HOSTS, TRUSTED_PROXIES
    development: bool
    data_dir: Path
    instance_id: str
    base_url: str
    """Without a slash at the end."""
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[Network, ...]

    # Its keys: SECRET_KEY, ENCRYPTION_KEYS, KEY_PROVIDER, TENANT_KEYS, TENANT_KEYS_SEAL, METRICS_TOKEN
    secret_key: str = field(repr=False)
    encryption_keys: str = field(repr=False)
    """As given: `id:base64,…`, the first encrypts; connections.vault parses it."""
    encryption_key_file: Path | None
    """Where they lie, when they are ours to change; each process then reads the file anew whenever it changed."""
    tenant_keys: Path | None
    """The folder of tenants' own keys; none: the ring seals everything."""
    tenant_keys_seal: bool
    """Whether they seal what is written; what they have sealed opens either way."""
    metrics_token: str = field(repr=False)
    """Empty: /metrics answers only in development."""

    # Where requests may go: ALLOWED_NETWORKS, ALLOWED_PORTS, ALLOW_HTTP
    allowed_networks: tuple[Network, ...]
    allowed_ports: frozenset[int]
    allow_http: bool

    # One grant: GRANT_DEADLINE_SECONDS, SERVER_SECONDS, SEND_BY_SECONDS, PREFLIGHT_SECONDS, SESSION_CHECK_SECONDS
    grant_deadline: timedelta
    server_time: timedelta
    """How long a server may go on working on a grant after we hung up: deadline + this = drain."""
    send_by: timedelta
    preflight: timedelta
    session_check: timedelta

    # When to try and how often: REFRESH_LEAD_PERCENT, RETRY_SECONDS, LOOK_SECONDS, HOST_PROBE_SECONDS, INSTANCE_RATE
    refresh_lead_percent: int
    retry: timedelta
    """First back-off; it doubles from here."""
    look: timedelta
    """Between two free looks at an instance that said 422, 403 or 503."""
    host_probe: timedelta
    instance_rate: float
    """Requests a second to one host and port; 0 lifts the limit, and that of two grants at once."""

    # The processes: TICK_SECONDS, HEARTBEAT_SECONDS, POOL_THREADS, WEB_THREADS, WEB_PROCESSES, KEY_RATE, LIVE_SECONDS
    tick: timedelta
    heartbeat: timedelta
    pool_threads: int
    web_threads: int
    web_processes: int
    key_rate: int
    """Requests a second of one API key."""
    live: timedelta
    """Between two polls of a page that somebody watches."""

    # How staff sign in: OIDC_…, SECOND_FACTOR
    single_sign_on: SingleSignOn | None
    second_factor_required: bool

    # How long somebody stays signed in: SESSION_IDLE_SECONDS, SESSION_SECONDS
    session_idle: timedelta
    """Without a page opened."""
    session_limit: timedelta
    """Whatever is done meanwhile."""

    # What is kept: RETENTION_DAYS, AUDIT_RETENTION_DAYS; how mail leaves: MAIL_…
    retention: timedelta
    audit_retention: timedelta
    mail: Mail

    @property
    def spool_dir(self) -> Path:
        """Where answers wait, encrypted, while the database is away."""
        return self.data_dir / "spool"


def load(env: Environment, *, root: Path) -> Config:
    """Read every SUGARADMIN_ setting; make what is missing where that is allowed. Raises EnvError."""
    development = env.choice("SUGARADMIN_ENV", "production", words=("production", "development")) == "development"
    data_dir = (root / env.text("SUGARADMIN_DATA_DIR", "var")).resolve()
    keys.prepare(data_dir)
    hosts, base_url = _addresses(env, development=development)
    given_keys = key_providers.ring(env, data_dir)
    return Config(
        development=development,
        data_dir=data_dir,
        instance_id=env.text("SUGARADMIN_INSTANCE_ID") or keys.kept(data_dir / "instance_id", keys.new_instance_id),
        base_url=base_url,
        allowed_hosts=hosts,
        trusted_proxies=env.networks("SUGARADMIN_TRUSTED_PROXIES"),
        secret_key=_secret_key(env, data_dir, development=development),
        encryption_keys=_encryption_keys(given_keys, data_dir, development=development),
        encryption_key_file=data_dir / key_providers.FILE if not given_keys or key_providers.is_file(env) else None,
        tenant_keys=(root / folder).resolve() if (folder := env.text("SUGARADMIN_TENANT_KEYS")) else None,
        tenant_keys_seal=env.flag("SUGARADMIN_TENANT_KEYS_SEAL", default=True),
        metrics_token=env.secret("SUGARADMIN_METRICS_TOKEN", example="a long random text"),
        allowed_networks=_allowed_networks(env, development=development),
        allowed_ports=env.ports("SUGARADMIN_ALLOWED_PORTS", frozenset({443})),
        allow_http=env.flag("SUGARADMIN_ALLOW_HTTP"),
        grant_deadline=env.seconds("SUGARADMIN_GRANT_DEADLINE_SECONDS", 25, most=60),
        server_time=env.seconds("SUGARADMIN_SERVER_SECONDS", 30, least=0, most=3_600),
        send_by=env.seconds("SUGARADMIN_SEND_BY_SECONDS", 15, most=60),
        preflight=env.seconds("SUGARADMIN_PREFLIGHT_SECONDS", 5, most=60),
        session_check=env.seconds("SUGARADMIN_SESSION_CHECK_SECONDS", 125, most=3_600),
        refresh_lead_percent=env.integer("SUGARADMIN_REFRESH_LEAD_PERCENT", 10, least=1, most=50),
        retry=env.seconds("SUGARADMIN_RETRY_SECONDS", 30, most=3_600),
        look=env.seconds("SUGARADMIN_LOOK_SECONDS", 300),
        host_probe=env.seconds("SUGARADMIN_HOST_PROBE_SECONDS", 30),
        instance_rate=env.number("SUGARADMIN_INSTANCE_RATE", 5, most=10_000),
        tick=env.seconds("SUGARADMIN_TICK_SECONDS", 5, most=60),
        heartbeat=env.seconds("SUGARADMIN_HEARTBEAT_SECONDS", 10, most=300),
        pool_threads=env.integer("SUGARADMIN_POOL_THREADS", 32, least=1, most=256),
        web_threads=env.integer("SUGARADMIN_WEB_THREADS", 32, least=1, most=512),
        web_processes=env.integer("SUGARADMIN_WEB_PROCESSES", 2, least=1, most=64),
        key_rate=env.integer("SUGARADMIN_KEY_RATE", 200, least=1),
        live=env.seconds("SUGARADMIN_LIVE_SECONDS", 5, least=0.2, most=60),
        single_sign_on=_single_sign_on(env, development=development),
        second_factor_required=_second_factor(env) == "required",
        session_idle=env.seconds("SUGARADMIN_SESSION_IDLE_SECONDS", 1_800, least=10),
        session_limit=env.seconds("SUGARADMIN_SESSION_SECONDS", 43_200, least=10, most=2_592_000),
        retention=env.days("SUGARADMIN_RETENTION_DAYS", 90),
        audit_retention=env.days("SUGARADMIN_AUDIT_RETENTION_DAYS", 400),
        mail=_mail(env),
    )


def _secret_key(env: Environment, data_dir: Path, *, development: bool) -> str:
    given = env.secret("SUGARADMIN_SECRET_KEY", example="a long random text")
    if given and len(given) < 50:
        raise EnvError("SUGARADMIN_SECRET_KEY is shorter than 50 characters; make one with: openssl rand -base64 48")
    return given or _own(
        data_dir / "secret_key",
        keys.new_secret_key,
        development=development,
        hint="SUGARADMIN_SECRET_KEY=$(openssl rand -base64 48)",
    )


def _encryption_keys(given: str, data_dir: Path, *, development: bool) -> str:
    if given:
        try:
            Keyring.parse(given)
        except KeyringInvalid as refused:
            raise EnvError(f"SUGARADMIN_ENCRYPTION_KEYS does not parse: {refused} Write id:base64,…") from None
    return given or _own(
        data_dir / key_providers.FILE,
        keys.new_encryption_keys,
        development=development,
        hint="SUGARADMIN_ENCRYPTION_KEYS=k1:$(openssl rand -base64 32)",
    )


def _own(path: Path, make: keys.Maker, *, development: bool, hint: str) -> str:
    if development:
        return keys.kept(path, make)
    name = hint.partition("=")[0]
    kept = keys.read(path)
    if not kept:
        raise EnvError(
            f"{name} is not set, and production makes no keys by itself: set it, or {name}_FILE, as in {hint}"
        )
    return kept


def _addresses(env: Environment, *, development: bool) -> tuple[tuple[str, ...], str]:
    """The names we answer to and the address in our links; each is the other's default."""
    hosts = env.list("SUGARADMIN_ALLOWED_HOSTS")
    default = DEVELOPMENT_URL if development else f"https://{(hosts or LOCAL_HOSTS)[0].lstrip('.*')}"
    parts = env.url("SUGARADMIN_BASE_URL", default, schemes=("http", "https") if development else ("https",))
    if parts is None or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise EnvError("SUGARADMIN_BASE_URL must be a plain address, as in https://sugaradmin.example.com")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return hosts or tuple(dict.fromkeys((name, *LOCAL_HOSTS))), parts.geturl().rstrip("/")


def _allowed_networks(env: Environment, *, development: bool) -> tuple[Network, ...]:
    networks = env.networks("SUGARADMIN_ALLOWED_NETWORKS")
    for network in networks:
        if not development and any(_overlap(network, loopback) for loopback in LOOPBACK):
            raise EnvError(
                f"SUGARADMIN_ALLOWED_NETWORKS: {network} holds this machine itself, which only development allows;"
                " name the customer's network, as in 10.20.0.0/16"
            )
    return networks


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _single_sign_on(env: Environment, *, development: bool) -> SingleSignOn | None:
    issuer = env.url("SUGARADMIN_OIDC_ISSUER", schemes=("http", "https") if development else ("https",))
    found = SingleSignOn(
        issuer=issuer.geturl().rstrip("/") if issuer else "",
        client_id=env.text("SUGARADMIN_OIDC_CLIENT_ID"),
        client_secret=env.secret("SUGARADMIN_OIDC_CLIENT_SECRET", example="the secret of this client"),
        name=env.text("SUGARADMIN_OIDC_NAME", "Single sign-on"),
        claim=env.text("SUGARADMIN_OIDC_CLAIM", "preferred_username"),
    )
    needed = (found.issuer, found.client_id, found.client_secret)
    if any(needed) and not all(needed):
        raise EnvError("SUGARADMIN_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET go together: set all three, or none.")
    return found if all(needed) else None


def _second_factor(env: Environment) -> str:
    return env.choice("SUGARADMIN_SECOND_FACTOR", "offered", words=("offered", "required"))


def _mail(env: Environment) -> Mail:
    return Mail(
        host=env.text("SUGARADMIN_MAIL_HOST"),
        port=env.integer("SUGARADMIN_MAIL_PORT", 587, least=1, most=65_535),
        user=env.text("SUGARADMIN_MAIL_USER"),
        password=env.secret("SUGARADMIN_MAIL_PASSWORD", example="the password of the mail account"),
        security=env.choice("SUGARADMIN_MAIL_SECURITY", "starttls", words=("starttls", "tls", "none")),
        sender=env.text("SUGARADMIN_MAIL_FROM", "Sugaradmin <sugaradmin@localhost>"),
    )
