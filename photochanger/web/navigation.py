"""The console's pages as its navigation shows them: one row, and the rest under “More”."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

SETTINGS = ("slots_setting_changelist", _("Settings"), "gear")
ROW = (  # on a phone without the last one
    ("index", _("Slots"), "grid"),
    ("ingest_job_changelist", _("Journal"), "log"),
    ("statistics", _("Statistics"), "chart"),
    ("events", _("Events"), "flag"),
    SETTINGS,
)
MORE = (
    ("event", _("Preparation"), "check"),
    ("library", _("Recipes"), "spark"),
    ("templates", _("Templates and frames"), "frame"),
    ("lab", _("Lab"), "flask"),
    ("costs", _("Costs"), "coins"),
    ("budgets", _("Budgets"), "gauge"),
    ("alerts", _("Alerts"), "bell"),
    ("mail", _("E-mail"), "mail"),
    ("refusals", _("Refusals and booths"), "alert"),
    ("capture", _("Capture"), "eye"),
    ("media_mediaobject_changelist", _("Files"), "images"),
    ("audit", _("Changes"), "clock"),
    ("auth_user_changelist", _("Administrators"), "user"),
    ("password_change", _("Change password"), "lock"),
    ("second_factor", _("Second factor"), "phone"),
    SETTINGS,  # on a phone only
)


@dataclass(frozen=True, slots=True)
class PageLink:
    title: Any  # translated where it is rendered
    url: str
    icon: str
    current: str = ""  # as ``aria-current`` wants it: "page", "true" of a page below it, or ""


@dataclass(frozen=True, slots=True)
class Navigation:
    row: list[PageLink]
    more: list[PageLink]

    @property
    def is_in_more(self) -> bool:
        return any(link.current for link in self.more[:-1])


def make_navigation(request: HttpRequest) -> Navigation:
    """The page that is open, or the one above it, is marked: the longest address that fits."""
    urls = {name: reverse(f"admin:{name}") for name, _title, _icon in (*ROW, *MORE)}
    above = max((url for url in urls.values() if request.path.startswith(url)), key=len, default="")

    def make_link(name: str, title: Any, icon: str) -> PageLink:
        url = urls[name]
        current = "" if url != above else "page" if url == request.path else "true"
        return PageLink(title, url, icon, current)

    return Navigation([make_link(*page) for page in ROW], [make_link(*page) for page in MORE])
