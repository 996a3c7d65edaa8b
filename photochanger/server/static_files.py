"""Make sure, before the first request, that pages find their style sheets and scripts."""

import sys

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import call_command

NOT_COLLECTED = (
    "{count} of the console's style sheets and scripts, such as {example}, are not in {folder}, "
    "which cannot be written to. Run deploy/start.sh prepare as its owner, or name another folder "
    "in STATIC_ROOT."
)
NOT_READABLE = (
    "The console's style sheets and scripts in {folder} cannot be read: {reason}. Give them to "
    "the server's user, or name another folder in STATIC_ROOT."
)


def collect_missing_files() -> None:
    """Collect static files when some are not there, as after an update: pages would be bare 500s.

    Ends the process with a sentence where it may not read or write them.
    """
    try:
        missing = find_missing_files()
    except OSError as exc:
        sys.exit(NOT_READABLE.format(folder=settings.STATIC_ROOT, reason=exc.strerror))
    if not missing:
        return
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
    except OSError:
        folder = settings.STATIC_ROOT
        sys.exit(NOT_COLLECTED.format(count=len(missing), example=missing[0], folder=folder))


def find_missing_files() -> list[str]:
    """Files of the code that the manifest does not know. Only where pages need a manifest."""
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        return []
    known = staticfiles_storage.load_manifest()[0]
    ignored = apps.get_app_config("staticfiles").ignore_patterns
    wanted = {path for finder in get_finders() for path, _ in finder.list(ignored)}
    return sorted(wanted - set(known))
