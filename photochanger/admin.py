"""The operators' console: Django's admin site with pages of our own."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from ingest.console import urls as ingest_urls
from photochanger.second_factor.sessions import may_enter
from photochanger.web.booth_passwords import booth_passwords_page
from photochanger.web.navigation import make_navigation
from photochanger.web.second_factor import second_factor_page
from slots.console import urls as slots_urls
from stats.console import dashboard
from stats.console import urls as stats_urls


class Console(admin.AdminSite):
    site_title = site_header = "PhotoChanger"
    index_title = _("AI processing slots")
    site_url = None
    enable_nav_sidebar = False

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"navigation": make_navigation(request)}

    def has_permission(self, request: HttpRequest) -> bool:
        """Administrators are superusers: no page of ours is for staff with single rights."""
        is_administrator = super().has_permission(request) and request.user.is_superuser
        return is_administrator and may_enter(request)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().index(request, dashboard.dashboard_context(request) | (extra_context or {}))

    def get_urls(self) -> list[URLResolver | URLPattern]:
        ours = [
            *slots_urls.get_console_urls(self.admin_view),
            *ingest_urls.get_console_urls(self.admin_view),
            *stats_urls.get_console_urls(self.admin_view),
            path("booth-passwords/", self.admin_view(booth_passwords_page), name="booth_passwords"),
            path("second-factor/", second_factor_page, name="second_factor"),
        ]
        # Nothing of ours has a page on a site, and Django's own takes no key but a number.
        stock = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        return [*ours, *stock]
