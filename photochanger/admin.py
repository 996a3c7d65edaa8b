"""The operators' console: Django's admin site with pages of our own."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from ingest.console import urls as ingest_urls
from slots.console import settings as settings_page
from slots.console.audit import audit_page
from stats.console import dashboard
from stats.console import urls as stats_urls


class Console(admin.AdminSite):
    site_title = site_header = "PhotoChanger"
    index_title = _("AI processing slots")
    site_url = None
    enable_nav_sidebar = False

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().index(request, dashboard.dashboard_context(request) | (extra_context or {}))

    def get_urls(self) -> list[URLResolver | URLPattern]:
        ours: list[URLResolver | URLPattern] = [
            path("session/", self.admin_view(dashboard.session), name="session"),
            path("audit/", self.admin_view(audit_page), name="audit"),
            path("board/", self.admin_view(dashboard.board), name="board"),
            path(
                "board/<slug:slot_id>/switch/",
                self.admin_view(dashboard.switch_slot),
                name="switch_slot",
            ),
            path(
                "board/<slug:slot_id>/cleanup/",
                self.admin_view(dashboard.clean_up_slot),
                name="clean_up_slot",
            ),
        ]
        ours.append(
            path(
                "settings/key/<slug:provider>/remove/",
                self.admin_view(settings_page.remove_key),
                name="remove_key",
            )
        )
        ours += ingest_urls.get_console_urls(self.admin_view)
        ours += stats_urls.get_console_urls(self.admin_view)
        return [*ours, *super().get_urls()]
