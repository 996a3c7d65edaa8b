"""The URLs of this package's pages, for the console's site."""

from django.urls import URLPattern, path

from slots.console import settings
from slots.console.audit import audit_page
from slots.console.library import urls as library
from slots.console.mail import page as mail_page
from slots.console.pages import AdminView
from slots.console.template_list import urls as template_list


def get_console_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    """``admin_view`` is the site's: it lets administrators in only."""
    return [
        path("audit/", admin_view(audit_page), name="audit"),
        *mail_page.get_urls(admin_view),
        *library.get_urls(admin_view),
        *template_list.get_urls(admin_view),
        path(
            "settings/key/<slug:provider>/remove/",
            admin_view(settings.remove_key),
            name="remove_key",
        ),
    ]
