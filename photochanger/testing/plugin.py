"""What every test run needs before Django reads its settings: `-p photochanger.testing.plugin`.

Nothing of the developer's own environment may leak in: no `.env`, no real provider key, no
database but the one chosen here (SQLite in memory, or a real PostgreSQL with `--postgres`).
"""

import atexit
import faulthandler
import os
import shutil
import tempfile
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.utils import translation

from photochanger import redaction
from photochanger.logs.strangers import refusal_lines
from photochanger.testing import processes, shared

HANGING_S = 1800  # more than the `timeout` of pytest.ini
STDERR = os.dup(2)  # as it is before output is captured
PROVIDER_KEYS = ("GEMINI_API_KEY", "TURBOTEXT_API_KEY")
# A developer's shell may hold these; each would change what is tested.
FOREIGN = (
    *("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEY", "INGEST_PASSWORD"),
    *("SYNC_RESPONSE_SECONDS", "RESULT_TTL_HOURS", "TEMP_TTL_SECONDS", "LANGUAGE_CODE"),
    *("UPLOAD_IDLE_SECONDS", "STATIC_ROOT", "JWT_LIFETIME_MINUTES", "SYSLOG_ADDRESS"),
    *("SENDFILE_PREFIX", "FACES_DIR", "SECRET_KEY_FALLBACKS", "JWT_SIGNING_KEY_FALLBACKS"),
    *("PUBLIC_BASE_URL", "PUBLIC_MEDIA_BASE_URL", "TRUSTED_PROXIES", "ALLOWED_HOSTS"),
    *("CSRF_TRUSTED_ORIGINS", "COOKIES_OVER_HTTPS_ONLY", "ADMIN_CREDENTIALS_PATH"),
    *("HSTS_SECONDS", "PLAIN_HTTP", "METRICS_TOKEN", "METRICS_NETWORKS", "LOG_DIR"),
    *("S3_BUCKET", "S3_PREFIX", "S3_ENDPOINT_URL", "S3_REGION"),
    *("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"),
    *("TELEGRAM_BASE_URL", "TELEGRAM_PROXY_URL"),
    *("GEMINI_BASE_URL", "TURBOTEXT_BASE_URL", "TURBOTEXT_RESULT_HOSTS"),
)

_media_root = tempfile.mkdtemp(prefix="photochanger-tests-media-")
atexit.register(shutil.rmtree, _media_root, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection(session: pytest.Session) -> None:
    from photochanger.db import clock  # needs Django to be set up
    from photochanger.testing import client

    client.use_in_tests()
    clock.follow_database(is_followed=False)  # tests set the time of this process


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that wait for servers and browsers first: quick ones fill the gaps and the end."""
    items.sort(key=lambda item: not any(map(item.get_closest_marker, ("live_server", "browser"))))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A test that hangs even in its clean-up takes its process along, and says where it hangs."""
    faulthandler.dump_traceback_later(HANGING_S, exit=True, file=STDERR)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    if fixturedef.argname != "django_db_setup" or "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)  # a run of one process migrates as fast by itself
    from photochanger.testing import worker_database

    with worker_database.begin_migrated():
        return (yield)


@pytest.fixture(autouse=True)
def _nothing_of_another_test() -> Generator[None, None, None]:
    """Files, the cache, known secrets and a page's language go with a test, as its rows do; live
    sites have their own."""
    translation.deactivate()  # a request leaves its reader's language in the thread
    refusal_lines.forget()  # each test may read the lines of its own refusals
    known = redaction._known  # a key such as sim-400-location would be cut out of all later texts
    yield
    redaction._known = known
    cache.clear()
    for folder in os.scandir(_media_root):
        shutil.rmtree(folder) if folder.is_dir() else os.unlink(folder)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        action="store_true",
        help="run on a real PostgreSQL (TEST_DATABASE_URL, or one started from a wheel)",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    # A wrapper runs before pytest-django's own hook, which loads the settings.
    options = early_config.known_args_namespace
    live = "live" in options.markexpr and "not live" not in options.markexpr
    _set_environment(keep_provider_keys=live)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shared.open_run()
    processes.use_forks()
    os.environ["DATABASE_URL"] = _postgres_url() if options.postgres else "sqlite://:memory:"
    yield


def _set_environment(*, keep_provider_keys: bool) -> None:
    for name in FOREIGN if keep_provider_keys else (*FOREIGN, *PROVIDER_KEYS):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "photochanger.testing.settings",
        "ENV_FILE": "",
        "DEBUG": "1",
        "MEDIA_ROOT": _media_root,
        "LOG_FORMAT": "json",
        "FACES_DIR": "none",  # who tests faces names the folder
        "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }


def _postgres_url() -> str:
    """Address of a database of this run's own, so that two runs never share `test_...`."""
    from photochanger.testing import databases

    try:
        server = databases.ensure_postgres()
    except Exception as exc:  # whatever stopped it, the developer needs one readable sentence
        raise pytest.UsageError(
            f"--postgres: PostgreSQL did not start ({type(exc).__name__}: {exc}). "
            f"Its log is {databases.POSTGRES_DIR}/log; TEST_DATABASE_URL names another server."
        ) from exc
    return databases.with_database(server, f"photochanger_{os.getpid()}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last to go is who started the workers, or who has none."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    from photochanger.testing import databases

    databases.drop_shared_databases()
    shared.close_run()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    # Not pytest_report_header: `-q` hides the header, and the database matters.
    url = urlsplit(os.environ["DATABASE_URL"])
    where = "SQLite in memory (--postgres runs on PostgreSQL)"
    if not url.scheme.startswith("sqlite"):
        where = f"PostgreSQL at {url.hostname or url.query.removeprefix('host=')}"
    if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
        reporter.write_line(f"database: {where}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Skipped for want of a tool must not look like passed."""
    skipped = terminalreporter.stats.get("skipped", [])
    for sign, words in (
        ("NO CHROMIUM", "browser tests SKIPPED: no Chromium found; `make browser` installs it"),
        (
            "NO FRONT SERVER",
            "tests of front servers SKIPPED: `make proxies` installs nginx and Caddy",
        ),
        ("NO MODELS OF FACES", "tests of faces SKIPPED: `make faces` makes their models"),
        ("NOTHING FOREIGN", "tests of foreign programmes SKIPPED: `make foreign` installs them"),
        ("`make monitoring`", "tests of alerts SKIPPED: `make monitoring` installs their tools"),
    ):
        count = sum(sign in str(report.longrepr) for report in skipped)
        if count:
            terminalreporter.write_line(f"{count} {words}", red=True, bold=True)
