"""Sentences for operators: of a failure's reason, of what a cleanup did."""

from django.contrib import messages
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingest.cleanup import CleanupReport
from ingest.refusals.causes import BUSY, name_failure
from photochanger.errors import ERROR_BY_REASON, ProviderQuota
from slots.models import Slot


def get_failure_sentence(reason: str | None, detail: str = "") -> str:
    """Empty without a reason; a reason that only an older version knew is returned as it is."""
    if reason and name_failure(reason, detail) == BUSY:
        return str(ProviderQuota.busy_sentence)
    return str(ERROR_BY_REASON[reason].sentence) if reason in ERROR_BY_REASON else reason or ""


def show_cleanup(request: HttpRequest, report: CleanupReport, slot: Slot | None = None) -> None:
    """Tell on the next page what a cleanup did, of ``slot`` or of all."""
    level = messages.WARNING if report.failures else messages.SUCCESS
    messages.add_message(request, level, _describe_cleanup(report, slot))


def _describe_cleanup(report: CleanupReport, slot: Slot | None) -> str:
    files = sum(report.removed.values())
    size = filesizeformat(report.freed_bytes)
    if report.failures:
        words = _failed_words(report.failures, of_slot=slot is not None)
    elif files:
        words = _removed_words(files, of_slot=slot is not None)
    elif slot is None:
        words = _("Nothing is outdated, nothing was deleted.")
    else:
        words = _("“%(slot)s”: nothing is outdated, nothing was deleted.")
    return words % {"slot": slot, "count": report.failures or files, "size": size}


def _failed_words(count: int, *, of_slot: bool) -> str:
    if of_slot:
        return ngettext(
            "“%(slot)s”: %(count)s file could not be deleted; the log names it.",
            "“%(slot)s”: %(count)s files could not be deleted; the log names them.",
            count,
        )
    return ngettext(
        "%(count)s file could not be deleted; the log names it.",
        "%(count)s files could not be deleted; the log names them.",
        count,
    )


def _removed_words(count: int, *, of_slot: bool) -> str:
    if of_slot:
        return ngettext(
            "“%(slot)s”: %(count)s file deleted, %(size)s freed.",
            "“%(slot)s”: %(count)s files deleted, %(size)s freed.",
            count,
        )
    return ngettext(
        "%(count)s outdated file deleted, %(size)s freed.",
        "%(count)s outdated files deleted, %(size)s freed.",
        count,
    )
