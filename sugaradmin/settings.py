"""Django's settings. What an operator decides comes from the environment, through `Config`; the rest is fixed here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sugaradmin.config import load
from sugaradmin.databases import databases, redis_url
from sugaradmin.env import EnvError, Environment
from sugaradmin.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
_env = Environment()

SUGARADMIN = load(_env, root=BASE_DIR)
DEBUG = _env.flag("SUGARADMIN_DEBUG")
if DEBUG and not SUGARADMIN.development:
    raise EnvError("SUGARADMIN_DEBUG shows internals to visitors: it goes with SUGARADMIN_ENV=development only.")
DATABASES = databases(_env, data_dir=SUGARADMIN.data_dir)
_log_level = _env.choice("SUGARADMIN_LOG_LEVEL", "info", words=("debug", "info", "warning", "error")).upper()
_log_format = _env.choice("SUGARADMIN_LOG_FORMAT", "auto", words=("auto", "json", "text"))
_redis_url = redis_url(_env)
_env.refuse_unknown()

SECRET_KEY = SUGARADMIN.secret_key
ALLOWED_HOSTS = list(SUGARADMIN.allowed_hosts)
CSRF_TRUSTED_ORIGINS = [SUGARADMIN.base_url]
# W003 looks for CSRF protection by the name of Django's class; sugaradmin.lanes.Csrf is that class for all pages.
# W163 says of each commented column that SQLite keeps no comments.
SILENCED_SYSTEM_CHECKS = ["security.W003", "fields.W163"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_q",
    # Not "allauth" itself: its templates stay out, so that a page we did not style cannot be shown.
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "connections.apps.ConnectionsConfig",
]

# The worker API authenticates itself and holds no session: what only pages need steps aside for it (sugaradmin.lanes).
MIDDLEWARE = [
    "sugaradmin.lanes.Room",
    "sugaradmin.proxies.TrustedProxies",
    "sugaradmin.headers.ResponseHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sugaradmin.lanes.Sessions",
    "sugaradmin.lanes.Locale",
    "sugaradmin.lanes.Common",
    "sugaradmin.lanes.Csrf",
    "sugaradmin.lanes.Authentication",
    "sugaradmin.lanes.LoginRequired",
    "sugaradmin.lanes.Messages",
    "sugaradmin.bodies.BodyLimit",
    "allauth.account.middleware.AccountMiddleware",
    "connections.signin.middleware.SessionLimits",
    "connections.signin.second_factor.LeadToSecondFactor",
    "connections.signin.middleware.AskAgain",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "sugaradmin.urls"
WSGI_APPLICATION = "sugaradmin.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "django.template.context_processors.i18n",
    "connections.dashboard.shell.surround",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]

LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# How people sign in: connections.signin. Nobody signs up, and no address is ever confirmed by mail.
ACCOUNT_ADAPTER = "connections.signin.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
# Counted in the shared cache, so over all processes and nodes. `key` is the account, `ip` an address or an IPv6 /64.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "30/15m/ip,10/15m/key",
    "reauthenticate": "10/m/user",
    "reset_password": "10/h/ip,3/h/key",
}
SOCIALACCOUNT_ADAPTER = "connections.signin.single_sign_on.SingleSignOnAdapter"
MFA_ADAPTER = "connections.signin.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Sugaradmin"
# Half a minute of difference between two clocks; connections.signin.codes keeps a code from being used twice.
MFA_TOTP_TOLERANCE = 1

LANGUAGE_CODE = "en"
# Pages of staff are in English; those of customers in each of these (sugaradmin.lanes.Locale).
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Development serves the files where they lie; production serves what collectstatic hashed and compressed.
WHITENOISE_USE_FINDERS = SUGARADMIN.development
WHITENOISE_AUTOREFRESH = SUGARADMIN.development
_static_backend = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if SUGARADMIN.development
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": _static_backend},
}

_secure = not SUGARADMIN.development
_cookie_prefix = "__Host-" if _secure else ""
SESSION_COOKIE_NAME = f"{_cookie_prefix}sessionid"
SESSION_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(SUGARADMIN.session_limit.total_seconds())
CSRF_COOKIE_NAME = f"{_cookie_prefix}csrftoken"
CSRF_COOKIE_SECURE = _secure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
SECURE_SSL_REDIRECT = _secure
# Probes come from inside the house, by plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _secure
SECURE_HSTS_PRELOAD = _secure
# Safe because TrustedProxies removes the header from everybody else.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# No page takes a file: what comes as one is within that size (sugaradmin.bodies), and never touches the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# "default" is shared by all processes: it counts tries to sign in. A database cache that is full drops rows at random,
# so it is large. "process" takes what django-q2 writes of its own liveness twice a second, which nobody reads.
_shared_cache: dict[str, Any] = (
    {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _redis_url, "KEY_PREFIX": "sugaradmin"}
    if _redis_url
    else {
        "BACKEND": "sugaradmin.counting.CountingCache",
        "LOCATION": "sugaradmin_cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
)
CACHES: dict[str, dict[str, Any]] = {
    "default": _shared_cache,
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# Why each figure: docs/operations.md, "The queue". Retry and back-off live in our own columns, not here.
Q_CLUSTER: dict[str, Any] = {
    "name": "sugaradmin",
    "workers": 4,
    "bulk": 1,
    "queue_limit": 4,
    "timeout": 90,
    "retry": 900,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 500,
    "label": "Queue",
    "cache": "process",
    **({"redis": _redis_url} if _redis_url else {"orm": "default"}),
}

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if SUGARADMIN.mail.host
    else "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_HOST = SUGARADMIN.mail.host
EMAIL_PORT = SUGARADMIN.mail.port
EMAIL_HOST_USER = SUGARADMIN.mail.user
EMAIL_HOST_PASSWORD = SUGARADMIN.mail.password
EMAIL_USE_TLS = SUGARADMIN.mail.security == "starttls"
EMAIL_USE_SSL = SUGARADMIN.mail.security == "tls"
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = SUGARADMIN.mail.sender
SERVER_EMAIL = SUGARADMIN.mail.sender

DEFAULT_EXCEPTION_REPORTER = "sugaradmin.reports.PlainReport"
DEFAULT_EXCEPTION_REPORTER_FILTER = "sugaradmin.reports.NothingShown"
LOGGING = logging_config(level=_log_level, format_name=_log_format)
