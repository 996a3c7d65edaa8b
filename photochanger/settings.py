"""The only reader of the environment. `.env.example` describes every variable."""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ

from photochanger import logs
from photochanger.environment import VariableOrFile

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


env = environ.FileAwareEnv()
env.ENVIRON = VariableOrFile()
# An empty ENV_FILE means "no file": tests and containers read the real environment only.
if env_file := os.environ.get("ENV_FILE", str(BASE_DIR / ".env")):
    env.read_env(env_file)

DEBUG = env.bool("DEBUG", default=False)

# Secrets
MISSING_SECRETS: list[str] = []  # named by the system check photochanger.E001


def _read_secret(name: str) -> str:
    """A secret of the installation; a missing one stops the start with a system check."""
    value: str = env.str(name, default="")
    if not value:
        if not DEBUG:
            MISSING_SECRETS.append(name)
        return secrets.token_urlsafe(48)
    return value


# The earlier ones only open what they signed, until they are taken away (rotation).
SECRET_KEY = _read_secret("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
JWT_SIGNING_KEY = _read_secret("JWT_SIGNING_KEY")
JWT_SIGNING_KEY_FALLBACKS: list[str] = env.list("JWT_SIGNING_KEY_FALLBACKS", default=[])
# One or more Fernet keys, newest first: the first encrypts, all decrypt (rotation).
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEY", default=[])
if not FIELD_ENCRYPTION_KEYS and not DEBUG:
    MISSING_SECRETS.append("FIELD_ENCRYPTION_KEY")
ADMIN_CREDENTIALS_PATH = Path(
    env.str("ADMIN_CREDENTIALS_PATH", default=str(BASE_DIR / "secrets/runtime_credentials.json"))
)

# Log-in of administrators
JWT_LIFETIME_MINUTES = env.int("JWT_LIFETIME_MINUTES", default=480)  # the day of an event
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "photochanger",
    "USER_ID_FIELD": "username",
    "USER_ID_CLAIM": "sub",
}
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # refuses before any password is checked
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
# Both together: a guesser elsewhere must not lock an administrator out in the middle of an event.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "photochanger.web.login.get_lockout_address"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the lockout ends when it said it would
AXES_DISABLE_ACCESS_LOG = True  # photochanger/web/login.py logs log-ins
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
# Its middleware only words the answer of a locked door; ours is in photochanger/web/login.py.
SILENCED_SYSTEM_CHECKS = [
    "axes.W002",
    "models.W040",  # covering indexes are for PostgreSQL; SQLite does without them
    "security.W008",  # redirecting to HTTPS is the front server's
    *("security.W005", "security.W021"),  # the domain's other names are not ours to promise for
]
SESSION_COOKIE_AGE = 12 * 3600  # seconds: an event's day, then the console asks again
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
LOGOUT_REDIRECT_URL = "admin:login"

# Addresses
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Addresses of our own reverse proxies: only their X-Forwarded-* headers are believed.
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])
PUBLIC_BASE_URL: str = env.str("PUBLIC_BASE_URL", default="").rstrip("/")
PUBLIC_MEDIA_BASE_URL: str = env.str("PUBLIC_MEDIA_BASE_URL", default="").rstrip("/")

BIND: str = env.str("BIND", default="0.0.0.0:8000")  # noqa: S104  booths are other machines
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", default=2)  # server processes
# Requests after which a process is replaced by a fresh one; 0: never.
WORKER_MAX_REQUESTS = env.int("WORKER_MAX_REQUESTS", default=100_000)

# The photo's path
SYNC_RESPONSE_SECONDS = env.int("SYNC_RESPONSE_SECONDS", default=48)  # 10-60; first value only
MAX_SYNC_RESPONSE_SECONDS = 60  # what a slot may say at most; time-outs around us follow from it
RESULT_TTL_HOURS = env.int("RESULT_TTL_HOURS", default=72)  # first value only
TEMP_TTL_SECONDS = env.int("TEMP_TTL_SECONDS", default=900)  # test photos of the console
INGEST_PASSWORD: str = env.str("INGEST_PASSWORD", default="")  # until one is set in the console
MAX_UPLOAD_MB = 20  # hard cap of one photo; a slot's own limit is at most this
GALLERY_FRESH_SECONDS = 1  # all guests together cost one query of a gallery each second
MAX_PHOTO_MEGAPIXELS = 80  # more is a decompression bomb, not a camera
# After so many seconds without a byte an unfinished body is refused.
UPLOAD_IDLE_SECONDS = env.int("UPLOAD_IDLE_SECONDS", default=15)
UPLOAD_SPOOL_BYTES = 1024 * 1024  # a photo above this waits on disk, not in memory
REQUEST_LANES = 4  # threads, and so database connections, of the photo's path per process
CONSOLE_LANES = 2  # the same for every other page, so that a slow one never delays a photo

# Providers
GEMINI_API_KEY: str = env.str("GEMINI_API_KEY", default="")
GEMINI_BASE_URL: str = env.str(
    "GEMINI_BASE_URL", default="https://generativelanguage.googleapis.com"
).rstrip("/")
GEMINI_API_VERSION: str = env.str("GEMINI_API_VERSION", default="v1beta")
GEMINI_AUTH: str = env.str("GEMINI_AUTH", default="header").strip().lower()  # or bearer
GEMINI_MAX_REQUEST_MB = env.int("GEMINI_MAX_REQUEST_MB", default=20)  # counted after base64
TURBOTEXT_API_KEY: str = env.str("TURBOTEXT_API_KEY", default="")
TURBOTEXT_BASE_URL: str = env.str(
    "TURBOTEXT_BASE_URL", default="https://www.turbotext.ru/api_ai"
).rstrip("/")
TURBOTEXT_RESULT_HOSTS: list[str] = env.list(
    "TURBOTEXT_RESULT_HOSTS", default=["turbotext.ru", "www.turbotext.ru"]
)
PROVIDER_PROXY_URL: str = env.str("PROVIDER_PROXY_URL", default="")

# Database
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'photochanger.sqlite3'}")
}
_database = DATABASES["default"]
# Each lane has one persistent connection, checked before a request in case of a restart.
_database |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "timeout": 8,  # seconds for a lock: less than the shortest time a booth waits
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    # It counts and times statements. Its SQLite sibling would make a class for each of them.
    _database["ENGINE"] = "django_prometheus.db.backends.postgresql"
    # DATABASE_URL may override each. A database host that vanished silently must not hold a lane
    # for the quarter of an hour that the kernel would retry.
    _database["OPTIONS"] = {
        "connect_timeout": 3,  # seconds
        "keepalives_idle": 10,  # seconds of silence before the first probe
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,  # milliseconds that what we sent may stay unanswered
    } | _database.get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Files
FACES_DIR: str = env.str("FACES_DIR", default=str(VAR_DIR / "faces"))  # of `make faces`
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
# A bucket instead of that folder. Guests never get its address: files go through us.
S3_BUCKET: str = env.str("S3_BUCKET", default="")
S3_PREFIX: str = env.str("S3_PREFIX", default="").strip("/")
S3_ENDPOINT_URL: str = env.str("S3_ENDPOINT_URL", default="").rstrip("/")  # empty: Amazon's
S3_REGION: str = env.str("S3_REGION", default="us-east-1")
S3_ACCESS_KEY_ID: str = env.str("S3_ACCESS_KEY_ID", default="")  # empty: the machine's own role
S3_SECRET_ACCESS_KEY: str = env.str("S3_SECRET_ACCESS_KEY", default="")
# A prefix under which the front server may read MEDIA_ROOT itself; empty: we send files ourselves.
SENDFILE_PREFIX: str = env.str("SENDFILE_PREFIX", default="")
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "media.storage.local.AtomicFileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if S3_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "media.storage.s3.BucketStorage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "location": S3_PREFIX,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "region_name": S3_REGION,
            "access_key": S3_ACCESS_KEY_ID,
            "secret_key": S3_SECRET_ACCESS_KEY,
        },
    }
if DEBUG:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Django
INSTALLED_APPS = [
    "photochanger",
    "providers",
    "media",
    "slots",
    "ingest",
    "stats",
    "photochanger.apps.ConsoleConfig",  # django.contrib.admin with our own site
    "django.contrib.auth",
    "axes",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_prometheus",
    "ninja",  # its pages load their scripts from us then, not from a public network
]
# Every entry of both must be async-capable: a synchronous one would hold a thread for every photo
# that waits (the system check photochanger.E009 looks). ``asgi.py`` chooses by the path.
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "photochanger.web.middleware.SecurityHeadersMiddleware",
    "photochanger.web.middleware.ApiNotFoundMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "photochanger.web.middleware.HtmxLoginMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
MACHINE_MIDDLEWARE = [  # booths, guests and monitors: photochanger/web/stacks.py
    "photochanger.web.middleware.SecurityHeadersMiddleware",
    "photochanger.web.middleware.GuestLanguageMiddleware",
    "photochanger.web.middleware.ApiNotFoundMiddleware",
]
ROOT_URLCONF = "photochanger.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
BCRYPT_ROUNDS = 12  # of the booths' passwords; about 225 ms of CPU
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}
]

LANGUAGE_CODE: str = env.str("LANGUAGE_CODE", default="ru")
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "photochanger/locale"]
TIME_ZONE: str = env.str("TIME_ZONE", default="Europe/Moscow")  # shown to people; kept as UTC
USE_TZ = True
FORMAT_MODULE_PATH = ["photochanger.formats"]

# No SECURE_PROXY_SSL_HEADER: Django would believe it of anybody. The edge reads X-Forwarded-Proto,
# of TRUSTED_PROXIES only.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("COOKIES_OVER_HTTPS_ONLY", default=False)
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_SAMESITE = SESSION_COOKIE_SECURE, "Lax"
# Only on pages of people; booths and machines are never told. Redirecting is the front server's.
HSTS_SECONDS = env.int("HSTS_SECONDS", default=3600)
SECURE_HSTS_SECONDS = HSTS_SECONDS if SESSION_COOKIE_SECURE else 0
PLAIN_HTTP = env.bool("PLAIN_HTTP", default=False)  # on purpose: `check --deploy` accepts it
if PLAIN_HTTP:
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

# Monitoring
# Who may read /metrics: whoever has the token, and these networks. Empty token: only the networks.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS: list[str] = env.list("METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"])
# Of django-prometheus, for pages and the JSON API; the photo's path has steps of its own.
PROMETHEUS_LATENCY_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))

# Logs
LOGGING_CONFIG = None  # configured below: gunicorn's master logs before django.setup() is called
SYSLOG_ADDRESS: str = env.str("SYSLOG_ADDRESS", default="")
LOG_DIR: str = env.str("LOG_DIR", default="")  # a file for each day; empty: none
LOG_RETENTION_DAYS = env.int("LOG_RETENTION_DAYS", default=30)  # of those files
logs.configure(
    log_format=env.str("LOG_FORMAT", default="console" if DEBUG else "json"),
    level=env.str("LOG_LEVEL", default="INFO"),
    syslog_address=SYSLOG_ADDRESS,
    folder=LOG_DIR,
    keep_days=LOG_RETENTION_DAYS,
)
