"""The rule on slots that their reserve serves: no guest notices, so somebody must be told."""

from collections import defaultdict
from collections.abc import Iterator

from slots.models import Slot
from stats.models import Severity
from stats.now.sources import SourceNow, describe_source
from stats.watch.findings import Finding


def find_on_reserve() -> Iterator[Finding]:
    """One for all slots that a service fails; whoever switched by hand knows. Three queries."""
    away = Slot.objects.filter(
        is_active=True, circuits__position=0, circuits__opened_at__isnull=False
    )
    by_service: dict[str, list[tuple[Slot, SourceNow]]] = defaultdict(list)
    for slot in away.prefetch_related("reserves", "circuits"):
        source = describe_source(slot)
        if source is not None and not source.is_by_hand:
            by_service[slot.provider].append((slot, source))
    for provider, group in by_service.items():
        newest = max((source for _slot, source in group), key=lambda one: one.failures)
        since = min(source.since for _slot, source in group if source.since)
        facts = {
            "slots": [slot.pk for slot, _source in group],
            "provider": provider,
            "reserve": newest.reserve,
            "at": since.isoformat(),
            "reason": newest.reason,
        }
        yield Finding(rule="on_reserve", subject=provider, severity=Severity.WARNING, facts=facts)
