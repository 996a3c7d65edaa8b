"""Token counts of a call (``usageMetadata``) as people read them."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

GROUPS = {  # total -> its parts by modality, and what it is called
    "promptTokenCount": ("promptTokensDetails", gettext_noop("sent %(tokens)s")),
    "candidatesTokenCount": ("candidatesTokensDetails", gettext_noop("received %(tokens)s")),
    "thoughtsTokenCount": ("thoughtsTokensDetails", gettext_noop("for thinking %(tokens)s")),
    "cachedContentTokenCount": ("cacheTokensDetails", gettext_noop("from its memory %(tokens)s")),
    "totalTokenCount": ("", gettext_noop("in all %(tokens)s")),
}
MODALITIES = {"TEXT": gettext_noop("text"), "IMAGE": gettext_noop("pictures")}
TIER = "serviceTier"


def describe_tokens(usage: Mapping[str, Any]) -> str:
    """One line; what has no name here is shown as the service calls it."""
    counted = [_describe_group(usage, total) for total in GROUPS if total in usage]
    lines = [_("Tokens: %(counts)s") % {"counts": ", ".join(counted)}] if counted else []
    if TIER in usage:
        lines.append(_("service tier: %(tier)s") % {"tier": usage[TIER]})
    parts = tuple(details for details, _words in GROUPS.values() if details)
    others = [name for name in usage if name not in (*GROUPS, TIER)]
    lines += [f"{name}: {usage[name]}" for name in others if name.split(".")[0] not in parts]
    return " · ".join(lines)


def _describe_group(usage: Mapping[str, Any], total: str) -> str:
    details, words = GROUPS[total]
    kinds = [
        f"{_(title)} {usage[f'{details}.{kind}']}"
        for kind, title in MODALITIES.items()
        if details and f"{details}.{kind}" in usage
    ]
    return _(words) % {"tokens": usage[total]} + (f" ({', '.join(kinds)})" if kinds else "")
