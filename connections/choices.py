"""Every closed list of words, once. Values are public: the API, the database and the docs use them."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    """What staff and workers see; derived from stored state and the clock, never stored."""

    PAUSED = "paused", _("Paused")
    DRAFT = "draft", _("Draft")
    DYING = "dying", _("Dying")
    DOWN = "down", _("Down")
    IN_DOUBT = "in_doubt", _("In doubt")
    UNREACHABLE = "unreachable", _("Unreachable")
    RETRYING = "retrying", _("Retrying")
    HEALTHY = "healthy", _("Healthy")


class Trouble(TextChoices):
    """The stored half of the status: what a diagnosis means for the connection."""

    NONE = "", _("None")
    PERSON = "person", _("Needs a person")
    IN_DOUBT = "in_doubt", _("In doubt")
    UNREACHABLE = "unreachable", _("Unreachable")
    RETRYING = "retrying", _("Retrying")


class DiagnosisCode(TextChoices):
    """What is wrong with a connection. One catalogue entry and one help page each."""

    # chain
    REFRESH_TOKEN_SUPERSEDED = "refresh_token_superseded"
    REFRESH_TOKEN_LOST = "refresh_token_lost"
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"
    SESSION_CAP_REACHED = "session_cap_reached"
    ACCESS_TOKEN_REJECTED = "access_token_rejected"
    SESSION_REJECTED = "session_rejected"
    CLIENT_MISMATCH = "client_mismatch"
    OUTCOME_UNKNOWN = "outcome_unknown"
    # credentials
    BAD_CREDENTIALS = "bad_credentials"
    USER_INACTIVE = "user_inactive"
    LOCKED_OUT = "locked_out"
    SSO_REQUIRED = "sso_required"
    PASSWORD_EXPIRED = "password_expired"
    PASSWORD_STALE = "password_stale"
    USER_UNSUITABLE = "user_unsuitable"
    CREDENTIALS_MISSING = "credentials_missing"
    # set-up
    CLIENT_INVALID = "client_invalid"
    PLATFORM_NOT_REGISTERED = "platform_not_registered"
    PLATFORM_SHARED = "platform_shared"
    USER_AGENT_BLOCKED = "user_agent_blocked"
    VERSION_UNSUPPORTED = "version_unsupported"
    NOT_SUGAR = "not_sugar"
    MOVED = "moved"
    HEADER_STRIPPED = "header_stripped"
    FIREWALL_BLOCKED = "firewall_blocked"
    ACCESS_DENIED = "access_denied"
    # instance
    MAINTENANCE = "maintenance"
    LICENSE = "license"
    IDENTITY_UNAVAILABLE = "identity_unavailable"
    IDENTITY_REJECTED = "identity_rejected"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    BAD_RESPONSE = "bad_response"
    # network
    DNS_FAILURE = "dns_failure"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_LOST = "connection_lost"
    TIMEOUT = "timeout"
    TLS_INVALID = "tls_invalid"
    ADDRESS_BLOCKED = "address_blocked"
    # ours
    ENCRYPTION_KEY_MISSING = "encryption_key_missing"
    DATABASE_RESTORED = "database_restored"
    UNKNOWN = "unknown"


class Fault(TextChoices):
    """What went wrong in one attempt, as one answer (or its absence) shows it."""

    ACCESS_TOKEN_EXPIRED = "access_token_expired"
    ACCESS_TOKEN_INVALID = "access_token_invalid"
    SESSION_REJECTED = "session_rejected"
    REFRESH_TOKEN_INVALID = "refresh_token_invalid"
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"
    CREDENTIALS_REFUSED = "credentials_refused"
    LOCKED_OUT = "locked_out"
    SSO_REQUIRED = "sso_required"
    USER_UNSUITABLE = "user_unsuitable"
    PASSWORD_EXPIRED = "password_expired"
    CLIENT_INVALID = "client_invalid"
    PLATFORM_NOT_REGISTERED = "platform_not_registered"
    USER_AGENT_BLOCKED = "user_agent_blocked"
    VERSION_UNSUPPORTED = "version_unsupported"
    NOT_SUGAR = "not_sugar"
    MOVED = "moved"
    HEADER_STRIPPED = "header_stripped"
    FIREWALL_BLOCKED = "firewall_blocked"
    ACCESS_DENIED = "access_denied"
    MAINTENANCE = "maintenance"
    LICENSE = "license"
    IDENTITY_UNAVAILABLE = "identity_unavailable"
    IDENTITY_REJECTED = "identity_rejected"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    BAD_RESPONSE = "bad_response"
    DNS_FAILURE = "dns_failure"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_LOST = "connection_lost"
    TIMEOUT = "timeout"
    TLS_INVALID = "tls_invalid"
    ADDRESS_BLOCKED = "address_blocked"
    ENCRYPTION_KEY_MISSING = "encryption_key_missing"
    UNKNOWN = "unknown"


class Endpoint(TextChoices):
    """Where an answer came from: `invalid_grant` means one thing at the token endpoint, another elsewhere."""

    TOKEN = "token"
    PREFLIGHT = "preflight"
    API = "api"


class AttemptKind(TextChoices):
    REFRESH = "refresh", _("Refresh")
    PASSWORD = "password", _("Sign-in")
    TEST = "test", _("Test")
    PROBE = "probe", _("Probe")


GRANT_KINDS = (AttemptKind.REFRESH, AttemptKind.PASSWORD)


class Rung(TextChoices):
    """Which step of the resolve ladder an attempt is; empty for a plain one."""

    NONE = "", _("None")
    CANDIDATE = "candidate", _("Kept answer")
    OLD_REFRESH = "old_refresh", _("Old refresh token")
    STORED_PASSWORD = "stored_password", _("Stored password")


class AttemptState(TextChoices):
    """claimed → sent → settled; or abandoned (never sent), in doubt (outcome unknown), answered (late)."""

    CLAIMED = "claimed", _("Claimed")
    SENT = "sent", _("Sent")
    ANSWERED = "answered", _("Answered late")
    SETTLED = "settled", _("Settled")
    REFUSED = "refused", _("Refused")
    ABANDONED = "abandoned", _("Not sent")
    IN_DOUBT = "in_doubt", _("In doubt")
    DISCARDED = "discarded", _("Discarded: an edit won")


OPEN_STATES = (AttemptState.CLAIMED, AttemptState.SENT)


class VersionState(TextChoices):
    LIVE = "live", _("Live")
    SUPERSEDED = "superseded", _("Superseded")
    LOST = "lost", _("Lost")
    REJECTED = "rejected", _("Rejected")
    ENDED = "ended", _("Ended")


class Origin(TextChoices):
    """Which kind of grant a token version came from."""

    PASSWORD = "password", _("Sign-in")
    REFRESH = "refresh", _("Refresh")
    ADOPTED = "adopted", _("Adopted")


class Trigger(TextChoices):
    """Who asked for an attempt."""

    BACKGROUND = "background", _("Background")
    WORKER = "worker", _("Worker")
    REPORT = "report", _("Worker's report")
    STAFF = "staff", _("Staff")
    API = "api", _("API")
    LINK = "link", _("Customer link")


class Generation(TextChoices):
    """How an instance checks the refresh row behind an access token (SUGAR.md section 0.1)."""

    UNKNOWN = "unknown", _("Unknown")
    NEVER = "never", _("6.7–7.1: never")
    CACHED = "cached", _("7.7–12.x: every 120 s")
    ALWAYS = "always", _("13.3 and later: every request")
    IDM = "idm", _("SugarIdentity")


class FixBy(TextChoices):
    CUSTOMER_ADMIN = "customer_admin", _("The customer's Sugar admin")
    STAFF = "staff", _("Our staff")
    OPERATOR = "operator", _("The operator of Sugaradmin")
    NOBODY = "nobody", _("Nobody: it heals by itself")


class Confidence(TextChoices):
    CERTAIN = "certain", _("Certain")
    LIKELY = "likely", _("Likely")
    POSSIBLE = "possible", _("Possible")


class EventKind(TextChoices):
    CREATED = "created", _("Connection created")
    EDITED = "edited", _("Connection edited")
    SECRET_SET = "secret_set", _("Secret saved")
    SECRETS_WIPED = "secrets_wiped", _("Secrets wiped")
    DELETED = "deleted", _("Connection deleted")
    PAUSED = "paused", _("Paused")
    RESUMED = "resumed", _("Resumed")
    HELD = "held", _("Held")
    SIGNED_IN = "signed_in", _("Signed in")
    REFRESHED = "refreshed", _("Refreshed")
    GRANT_FAILED = "grant_failed", _("Grant failed")
    GRANT_ABANDONED = "grant_abandoned", _("Grant not sent")
    IN_DOUBT = "in_doubt", _("Outcome unknown")
    ANSWER_KEPT = "answer_kept", _("Late answer kept")
    ANSWER_DISCARDED = "answer_discarded", _("Late answer discarded")
    TOKEN_DIED = "token_died", _("Access token died")
    CHAIN_DIED = "chain_died", _("Refresh token died")
    REPORTED = "reported", _("Rejection reported")
    TESTED = "tested", _("Tested")
    PROBED = "probed", _("Probed")
    DIAGNOSED = "diagnosed", _("Diagnosis changed")
    RECOVERED = "recovered", _("Recovered")
    SNOOZED = "snoozed", _("Snoozed")
    AWAKE = "awake", _("Snooze ended")
    NOTED = "noted", _("Note written")
    LINK_MADE = "link_made", _("Customer link made")
    LINK_OPENED = "link_opened", _("Customer link opened")
    LINK_ENDED = "link_ended", _("Customer link ended")
    LINK_REQUESTED = "link_requested", _("New link requested")


class LinkKind(TextChoices):
    """What a customer finds behind a link that staff sent."""

    SIGN_IN = "sign_in", _("Sign-in link")
    GUIDE = "guide", _("Set-up guide")


class LinkStanding(TextChoices):
    """Whether a link still opens; derived from its row, its attempts, the connection and the clock, never stored."""

    OPEN = "open", _("Open")
    WORKING = "working", _("Signing in")
    USED = "used", _("Used")
    SPENT = "spent", _("Tries used up")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")
    VOID = "void", _("Void: the connection changed")


class Scope(TextChoices):
    TOKEN_READ = "token:read", _("Fetch tokens, report rejections")
    CONNECTIONS_READ = "connections:read", _("Read connections")
    CONNECTIONS_WRITE = "connections:write", _("Change connections and run actions")
    EVENTS_READ = "events:read", _("Read events")


class FailureStanding(TextChoices):
    """What staff decided about a group of failures."""

    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    IGNORED = "ignored", _("Ignored")


class Theme(TextChoices):
    AUTO = "auto", _("Auto")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Role(TextChoices):
    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", _("Operator")
    ADMIN = "admin", _("Admin")
    AUDITOR = "auditor", _("Auditor")


class AuditOutcome(TextChoices):
    """What became of what somebody asked for."""

    OK = "ok", _("Done")
    BEGUN = "begun", _("Begun")
    FAILED = "failed", _("Failed")
    DENIED = "denied", _("Denied")
    THROTTLED = "throttled", _("Slowed down")


class LinkPurpose(TextChoices):
    """What a one-time link of the door is for."""

    FIRST_ADMIN = "first_admin", _("Makes the first administrator")
    SET_PASSWORD = "set_password", _("Sets a password")


class NotReady(TextChoices):
    """Why /readyz turns traffic away."""

    DATABASE = "database"
    MIGRATIONS = "migrations"
    KEYS = "keys"


BUILT_IN_PLATFORMS = frozenset(
    {
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
    }
)
