"""The only reader of the environment. `.env.example` describes every variable."""

import os
import secrets
from datetime import timedelta
from typing import Any

from media.own_hosts import read_allowed_hosts
from photochanger import logs
from photochanger import value_checks as checks
from photochanger.database_url import add_options
from photochanger.environment import Environment

BASE_DIR = checks.BASE_DIR
VAR_DIR = BASE_DIR / "var"


env = Environment(os.environ)
# An empty ENV_FILE means "no file": tests and containers read the real environment only.
if env_file := os.environ.get("ENV_FILE", str(BASE_DIR / ".env")):
    env.read_file(env_file, is_required="ENV_FILE" in os.environ)
    env.export(os.environ)

DEBUG = env.get_flag("DEBUG", default=False)

# Secrets
MISSING_SECRETS: list[str] = []  # named by the system check photochanger.E001


def _read_secret(name: str) -> str:
    """A secret of the installation; a missing one stops the start with a system check."""
    value: str = env.get_text(name, default="")
    if not value:
        if not DEBUG:
            MISSING_SECRETS.append(name)
        return secrets.token_urlsafe(48)
    return value


# The earlier ones only open what they signed, until they are taken away (rotation).
SECRET_KEY = _read_secret("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env.get_list("SECRET_KEY_FALLBACKS", default=[])
JWT_SIGNING_KEY = _read_secret("JWT_SIGNING_KEY")
JWT_SIGNING_KEY_FALLBACKS: list[str] = env.get_list("JWT_SIGNING_KEY_FALLBACKS", default=[])
# One or more Fernet keys, newest first: the first encrypts, all decrypt (rotation).
FIELD_ENCRYPTION_KEYS: list[str] = env.get_list("FIELD_ENCRYPTION_KEY", default=[])
if not FIELD_ENCRYPTION_KEYS and not DEBUG:
    MISSING_SECRETS.append("FIELD_ENCRYPTION_KEY")
ADMIN_CREDENTIALS_PATH = env.get_path(
    "ADMIN_CREDENTIALS_PATH", default=BASE_DIR / "secrets/runtime_credentials.json"
)

# Log-in of administrators
JWT_LIFETIME_MINUTES = env.get_number("JWT_LIFETIME_MINUTES", default=480)  # the day of an event
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "photochanger",
    "USER_ID_FIELD": "username",
    "USER_ID_CLAIM": "sub",
}
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # refuses before any password is checked
    "photochanger.second_factor.backend.AdministratorBackend",
]
# Whether every administrator needs one; else whoever likes sets it up.
SECOND_FACTOR_REQUIRED = env.get_flag("SECOND_FACTOR_REQUIRED", default=False)
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
# Both together: a guesser elsewhere must not lock an administrator out in the middle of an event.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "photochanger.web.lockouts.get_lockout_address"
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
SESSION_ENGINE = "photochanger.web.sessions"
SESSION_COOKIE_AGE = 12 * 3600  # seconds: an event's day, then the console asks again
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
LOGOUT_REDIRECT_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # where nothing else was asked for, or what is not ours

# Addresses
ALLOWED_HOSTS: list[str] = read_allowed_hosts(
    env.get_list(
        "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"], check=checks.check_host
    )
)
CSRF_FAILURE_VIEW = "photochanger.web.error_pages.show_outdated_form"
CSRF_TRUSTED_ORIGINS: list[str] = env.get_list(
    "CSRF_TRUSTED_ORIGINS", default=[], check=checks.check_origin
)
# Addresses of our own reverse proxies: only their X-Forwarded-* headers are believed.
TRUSTED_PROXIES: list[str] = env.get_list("TRUSTED_PROXIES", default=[], check=checks.check_network)
PUBLIC_BASE_URL: str = env.get_address("PUBLIC_BASE_URL", default="")
PUBLIC_MEDIA_BASE_URL: str = env.get_address("PUBLIC_MEDIA_BASE_URL", default="")

BIND: str = env.get_text("BIND", default="0.0.0.0:8000", check=checks.check_bind)  # noqa: S104  booths are other machines
WEB_CONCURRENCY = env.get_number("WEB_CONCURRENCY", default=2)  # server processes
# Requests after which a process is replaced by a fresh one; 0: never.
WORKER_MAX_REQUESTS = env.get_number("WORKER_MAX_REQUESTS", default=100_000)
# Told to stop, a server serves on for so long, and /livez answers 503; at most 10, so that it ends
# before systemd and Docker lose their patience.
LEAVE_SECONDS = env.get_number("LEAVE_SECONDS", default=0)

# deploy/backup.sh reads these: where to, how many to keep, and whether with guests' pictures.
BACKUP_DIR = env.get_path("BACKUP_DIR", default=VAR_DIR / "backups")
BACKUP_KEEP = env.get_number("BACKUP_KEEP", default=14)
BACKUP_RESULTS = env.get_flag("BACKUP_RESULTS", default=False)

# The photo's path
SYNC_RESPONSE_SECONDS = env.get_number("SYNC_RESPONSE_SECONDS", default=48)  # 10-60; first value
MAX_SYNC_RESPONSE_SECONDS = 60  # what a slot may say at most; time-outs around us follow from it
RESULT_TTL_HOURS = env.get_number("RESULT_TTL_HOURS", default=72)  # first value only
TEMP_TTL_SECONDS = env.get_number("TEMP_TTL_SECONDS", default=900)  # test photos of the console
INGEST_PASSWORD: str = env.get_text("INGEST_PASSWORD", default="")  # first value only
MAX_UPLOAD_MB = 20  # hard cap of one photo; a slot's own limit is at most this
GALLERY_FRESH_SECONDS = 1  # all guests together cost one query of a gallery each second
MAX_PHOTO_MEGAPIXELS = 80  # more is a decompression bomb, not a camera
# After so many seconds without a byte an unfinished body is refused.
UPLOAD_IDLE_SECONDS = env.get_number("UPLOAD_IDLE_SECONDS", default=15)
UPLOAD_SPOOL_BYTES = 1024 * 1024  # a photo above this waits on disk, not in memory
# Threads, and so database connections, of the photo's path per process. With the thread for health
# checks and the clock (photochanger/db/threads.py) four are open while any number of photos wait.
REQUEST_LANES = 3
GUEST_LANES = CONSOLE_LANES = 2  # the same for all other pages: a slow one delays no photo

# Providers
GEMINI_API_KEY: str = env.get_key("GEMINI_API_KEY", default="")
GEMINI_BASE_URL: str = env.get_address(
    "GEMINI_BASE_URL", default="https://generativelanguage.googleapis.com"
)
GEMINI_API_VERSION: str = env.get_text(
    "GEMINI_API_VERSION", default="v1beta", check=checks.check_word
)
# Or bearer, for relays.
GEMINI_AUTH: str = env.get_choice("GEMINI_AUTH", default="header", of=["header", "bearer"])
GEMINI_MAX_REQUEST_MB = env.get_number("GEMINI_MAX_REQUEST_MB", default=20)  # counted after base64
TURBOTEXT_API_KEY: str = env.get_key("TURBOTEXT_API_KEY", default="")
TURBOTEXT_BASE_URL: str = env.get_address(
    "TURBOTEXT_BASE_URL", default="https://www.turbotext.ru/api_ai"
)
TURBOTEXT_RESULT_HOSTS: list[str] = env.get_list(
    "TURBOTEXT_RESULT_HOSTS", default=["turbotext.ru", "www.turbotext.ru"], check=checks.check_zone
)
PROVIDER_PROXY_URL: str = env.get_address("PROVIDER_PROXY_URL", default="")
TELEGRAM_BASE_URL: str = env.get_address("TELEGRAM_BASE_URL", default="https://api.telegram.org")
TELEGRAM_PROXY_URL: str = env.get_address("TELEGRAM_PROXY_URL", default="")

# Database
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.get_database(
        "DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'photochanger.sqlite3'}"
    )
}
add_options(DATABASES["default"])
# How long PostgreSQL lets a server of ours wait: for a lock, an answer, and within a transaction.
DATABASE_LOCK_SECONDS = env.get_number("DATABASE_LOCK_SECONDS", default=3)
DATABASE_STATEMENT_SECONDS = env.get_number("DATABASE_STATEMENT_SECONDS", default=15)
DATABASE_IDLE_SECONDS = env.get_number("DATABASE_IDLE_SECONDS", default=30)
DATABASE_BEHIND_POOLER = env.get_flag("DATABASE_BEHIND_POOLER", default=False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Files
FACES_DIR = str(env.get_path("FACES_DIR", default=VAR_DIR / "faces"))  # of `make faces`
FACES_JUDGE_SECONDS = 1.0  # a detection of 0.1-0.2 s that has not begun by then is not waited for
MEDIA_ROOT = env.get_path("MEDIA_ROOT", default=VAR_DIR / "media")
# A bucket instead of that folder. Guests never get its address: files go through us.
S3_BUCKET: str = env.get_text("S3_BUCKET", default="")
S3_PREFIX: str = env.get_text("S3_PREFIX", default="").strip("/")
S3_ENDPOINT_URL: str = env.get_address("S3_ENDPOINT_URL", default="")  # empty: Amazon's
S3_REGION: str = env.get_text("S3_REGION", default="us-east-1", check=checks.check_word)
S3_ACCESS_KEY_ID: str = env.get_key("S3_ACCESS_KEY_ID", default="")  # empty: the machine's own role
S3_SECRET_ACCESS_KEY: str = env.get_key("S3_SECRET_ACCESS_KEY", default="")
# A prefix under which the front server may read MEDIA_ROOT itself; empty: we send files ourselves.
SENDFILE_PREFIX: str = env.get_text("SENDFILE_PREFIX", default="", check=checks.check_prefix)
STATIC_URL = "/static/"
STATIC_ROOT = env.get_path("STATIC_ROOT", default=VAR_DIR / "static")
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
    "photochanger.second_factor",
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
    "photochanger.web.middleware.KnownHostMiddleware",
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
    "photochanger.web.middleware.DatabaseAwayMiddleware",
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
            ],
            "builtins": ["photochanger.web.icons"],
        },
    }
]
BCRYPT_ROUNDS = 12  # of the booths' passwords; about 225 ms of CPU
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("MinimumLength", "CommonPassword", "UserAttributeSimilarity")
]

LANGUAGE_CODE: str = env.get_choice("LANGUAGE_CODE", default="ru", of=["ru", "en"])
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "photochanger/locale"]
# Shown to people; kept as UTC.
TIME_ZONE: str = env.get_text("TIME_ZONE", default="Europe/Moscow", check=checks.check_time_zone)
USE_TZ = True
FORMAT_MODULE_PATH = ["photochanger.formats"]

# No SECURE_PROXY_SSL_HEADER: Django would believe it of anybody. The edge reads X-Forwarded-Proto,
# of TRUSTED_PROXIES only.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.get_flag("COOKIES_OVER_HTTPS_ONLY", default=False)
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_SAMESITE = SESSION_COOKIE_SECURE, "Lax"
if SESSION_COOKIE_SECURE:  # browsers take such names over HTTPS only, from this very host
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
# In every answer (photochanger/edge). Redirecting is the front server's.
HSTS_SECONDS = env.get_number("HSTS_SECONDS", default=31_536_000)  # a year
SECURE_HSTS_SECONDS = HSTS_SECONDS if SESSION_COOKIE_SECURE else 0
PLAIN_HTTP = env.get_flag("PLAIN_HTTP", default=False)  # on purpose: `check --deploy` accepts it
if PLAIN_HTTP:
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

# Monitoring
# Who may read /metrics: whoever has the token, and these networks. Empty token: only the networks.
METRICS_TOKEN: str = env.get_key("METRICS_TOKEN", default="")
METRICS_NETWORKS: list[str] = env.get_list(
    "METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"], check=checks.check_network
)
# Of django-prometheus, for pages and the JSON API; the photo's path has steps of its own.
PROMETHEUS_LATENCY_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))

# Logs
LOGGING_CONFIG = None  # configured below: gunicorn's master logs before django.setup() is called
SYSLOG_ADDRESS: str = env.get_text("SYSLOG_ADDRESS", default="")
# A file for each day; empty: none.
LOG_DIR: str = env.get_text("LOG_DIR", default="", check=checks.check_path)
LOG_RETENTION_DAYS = env.get_number("LOG_RETENTION_DAYS", default=30)  # of those files
LOG_FORMAT = env.get_choice(
    "LOG_FORMAT", default="console" if DEBUG else "json", of=["json", "console"]
)
LOG_LEVEL = env.get_choice("LOG_LEVEL", default="INFO", of=logs.LEVELS)
env.stop_if_wrong()
MISSPELLED_VARIABLES = env.find_misspelled()  # named by the system check photochanger.W008
logs.configure(
    log_format=LOG_FORMAT,
    level=LOG_LEVEL,
    syslog_address=SYSLOG_ADDRESS,
    folder=LOG_DIR,
    keep_days=LOG_RETENTION_DAYS,
)
