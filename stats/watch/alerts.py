"""Findings become rows: an alert opens when something is found, and closes when it stays away."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from stats.models import Alert, AlertMessage, Severity
from stats.watch.findings import Finding

log = structlog.get_logger()

CALM = timedelta(seconds=60)  # so long it must stay away: what flickers is one alert
SEEN_EVERY = timedelta(seconds=15)
KEEP = timedelta(days=90)
SAME_TROUBLE = ("failures_in_row", "service_away", "failed_share")  # the most telling first
_RANK = {rule: rank for rank, rule in enumerate(SAME_TROUBLE)}


@transaction.atomic
def record_findings(
    findings: Iterable[Finding], now: datetime, *, unknown: Collection[str] = ()
) -> None:
    """Open, keep and close alerts. Of ``unknown`` rules nothing is known now: none is closed."""
    rows = {
        _get_trouble(row.rule, row.subject): row
        for row in Alert.objects.filter(closed_at__isnull=True)
    }
    for trouble, finding in _choose_findings(findings).items():
        row = rows.pop(trouble, None)
        if row is None:
            _open_alert(finding, now)
        else:
            _refresh_alert(row, finding, now)
    for row in rows.values():
        if row.rule not in unknown and now - row.seen_at >= CALM:
            close_alert(row, now)


def _get_trouble(rule: str, subject: str) -> tuple[str, str]:
    """A service that is away, all of whose photos fail, and later half of them, is one trouble."""
    return "photos" if rule in SAME_TROUBLE else rule, subject


def _choose_findings(findings: Iterable[Finding]) -> dict[tuple[str, str], Finding]:
    """One for each trouble: that of the rule which says most."""
    chosen: dict[tuple[str, str], Finding] = {}
    for finding in sorted(findings, key=lambda one: _RANK.get(one.rule, 0)):
        chosen.setdefault(_get_trouble(finding.rule, finding.subject), finding)
    return chosen


def _open_alert(finding: Finding, now: datetime) -> None:
    Alert.objects.create(
        rule=finding.rule,
        subject=finding.subject[:100],
        severity=finding.severity,
        facts=finding.facts,
        opened_at=now,
        raised_at=now,
        seen_at=now,
    )
    level = log.error if finding.severity == Severity.CRITICAL else log.warning
    level("stats.alert.opened", rule=finding.rule, subject=finding.subject)


def _refresh_alert(row: Alert, finding: Finding, now: datetime) -> None:
    """Written seldom: a watch looks every two seconds, and mostly nothing is new."""
    is_graver = (row.severity, finding.severity) == (Severity.WARNING, Severity.CRITICAL)
    facts = row.facts | finding.facts
    if not is_graver and facts == row.facts and now - row.seen_at < SEEN_EVERY:
        return
    row.facts, row.seen_at = facts, now
    if is_graver:
        row.rule, row.severity, row.raised_at = finding.rule, finding.severity, now
        log.error("stats.alert.raised", rule=row.rule, subject=row.subject)
    row.save(update_fields=["rule", "facts", "seen_at", "severity", "raised_at"])


def close_alert(row: Alert, now: datetime) -> None:
    Alert.objects.filter(pk=row.pk, closed_at__isnull=True).update(closed_at=now)
    log.info("stats.alert.closed", rule=row.rule, subject=row.subject)


def delete_old_alerts(now: datetime) -> None:
    """What was told long ago. What is still to be told stays."""
    AlertMessage.objects.filter(created_at__lt=now - KEEP, sent_at__isnull=False).delete()
    Alert.objects.filter(closed_at__lt=now - KEEP, messages__isnull=True).delete()
