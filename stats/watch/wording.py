"""An alert as a person reads it, in the language that is active."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingest.console.messages import get_failure_sentence
from ingest.readiness.result import format_moment
from ingest.refusals.causes import find_cause, get_title
from providers.registry import DRIVERS
from stats.models import Alert, Severity
from stats.watch.findings import Finding
from stats.watch.lease import HOST
from stats.watch.rules.words import AT_LIMIT, AT_LIMIT_OF_SOME, RULES, Rule

MOST_IN_MESSAGE = 12
MB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """``path`` leads to the page where it is put right."""

    title: str
    words: str
    remedy: str
    path: str


def word_alert(alert: Alert | Finding) -> Wording:
    """Also of a rule that only another version knows."""
    rule = RULES.get(alert.rule)
    if rule is None:
        return Wording(title=alert.rule, words=alert.subject, remedy="", path=_find_path("index"))
    facts = _word_facts(alert.facts)
    return Wording(
        title=str(rule.title),
        words=" ".join((str(rule.words) % facts).split()),
        remedy=str(rule.remedy) % facts if rule.remedy else _get_remedy(alert.facts),
        path=_find_link(rule, alert),
    )


def _get_remedy(facts: dict[str, Any]) -> str:
    if word := facts.get("cause"):
        return str(find_cause(word).remedy)
    return str(find_cause(str(facts.get("reason", "")), of_photo=True).remedy)


class _Facts(dict[str, Any]):
    """A fact that an older version did not keep leaves a gap, and breaks nothing."""

    def __missing__(self, key: str) -> str:
        return "?"


def _word_facts(facts: dict[str, Any]) -> _Facts:
    found = _Facts(facts)
    found["slots"] = ", ".join(facts.get("slots") or [])
    if provider := facts.get("provider"):
        found["provider"] = str(DRIVERS[provider].title) if provider in DRIVERS else provider
    if cause := facts.get("cause"):
        found["cause"] = str(get_title(cause)).rstrip(".")
        found["who"] = facts.get("who") or _("unknown")
    found["why"] = get_failure_sentence(facts.get("reason"))
    if "at" in facts:
        at = facts["at"]
        found["at"] = format_moment(datetime.fromisoformat(at)) if at else _("never")
    if "on" in facts:
        found["on"] = date_format(date.fromisoformat(facts["on"]), "SHORT_DATE_FORMAT")
    found["spent"] = _describe_limit(facts)
    if "free_mb" in facts:
        free = facts["free_mb"]
        found["free"] = _("unknown") if free is None else filesizeformat(free * MB)
    return found


def _describe_limit(facts: dict[str, Any]) -> str:
    """What becomes of photos under a budget that has no room for them; empty: it has."""
    stopped = ", ".join(facts.get("stopped") or ())
    words = (AT_LIMIT_OF_SOME if stopped else AT_LIMIT).get(facts.get("at_limit", ""), "")
    return str(words) % {"stopped": stopped} if stopped else str(words)


def _find_link(rule: Rule, alert: Alert | Finding) -> str:
    slots = alert.facts.get("slots") or []
    query = rule.query
    if query and len(slots) == 1:
        query = f"{query}&slot={slots[0]}"
    return _find_path(rule.page) + query


def _find_path(name: str) -> str:
    return reverse(f"admin:{name}")


def write_trouble(
    alerts: Sequence[Alert | Finding], language: str, *, at: datetime | None = None
) -> tuple[str, str]:
    """Title and body of one message on all of them, the gravest first. ``at``: null is now."""
    with translation.override(language):
        first = sorted(alerts, key=lambda alert: alert.severity != Severity.CRITICAL)
        parts = [_write_part(alert) for alert in first[:MOST_IN_MESSAGE]]
        more = len(first) - MOST_IN_MESSAGE
        if more > 0:
            parts.append(_("and %(count)s more: see the console.") % {"count": more})
        return _write_title(first), "\n\n".join([*parts, _write_footer(at)])


def _write_title(alerts: Sequence[Alert | Finding]) -> str:
    if len(alerts) == 1:
        wording = word_alert(alerts[0])
        slots = ", ".join(alerts[0].facts.get("slots") or [])
        return f"PhotoChanger: {wording.title}{f' ({slots})' if slots else ''}"[:200]
    count = ngettext("%(count)s trouble", "%(count)s troubles", len(alerts))
    names = dict.fromkeys(word_alert(alert).title for alert in alerts)
    return f"PhotoChanger: {count % {'count': len(alerts)}} – {', '.join(names)}"[:200]


def _write_part(alert: Alert | Finding) -> str:
    wording = word_alert(alert)
    lines = [f"{'‼ ' if alert.severity == Severity.CRITICAL else '• '}{wording.title}"]
    if isinstance(alert, Alert):
        lines[0] += f" ({_write_times(alert)})"
    lines.append(wording.words)
    lines.append(_("What to do: %(remedy)s") % {"remedy": wording.remedy})
    if settings.PUBLIC_BASE_URL:
        lines.append(f"{settings.PUBLIC_BASE_URL}{wording.path}")
    return "\n".join(lines)


def _write_times(alert: Alert) -> str:
    begun = format_moment(alert.opened_at)
    if alert.closed_at is None:
        return _("since %(begun)s") % {"begun": begun}
    return _("%(begun)s to %(ended)s, over") % {
        "begun": begun,
        "ended": f"{timezone.localtime(alert.closed_at):%H:%M}",
    }


def _write_footer(at: datetime | None = None) -> str:
    at = at or timezone.now()
    return _("Sent by %(host)s, %(now)s") % {
        "host": HOST,
        "now": f"{format_moment(at)}:{timezone.localtime(at):%S}",
    }


def write_over(
    alerts: Sequence[Alert], language: str, *, at: datetime | None = None
) -> tuple[str, str]:
    with translation.override(language):
        names = dict.fromkeys(word_alert(alert).title for alert in alerts)
        title = _("PhotoChanger: over – %(names)s") % {"names": ", ".join(names)}
        lines = [
            f"✓ {word_alert(alert).title}: {_list_slots(alert)}{_write_times(alert)}"
            for alert in alerts[:MOST_IN_MESSAGE]
        ]
        return title[:200], "\n".join([*lines, "", _write_footer(at)])


def _list_slots(alert: Alert) -> str:
    slots = ", ".join(alert.facts.get("slots") or [])
    return f"{slots}, " if slots else ""


def write_test(language: str) -> tuple[str, str]:
    with translation.override(language):
        title = _("PhotoChanger: a test")
        words = _("This is how a message comes when photos fail. Nothing is wrong now.")
        return title, f"{words}\n\n{_write_footer()}"
