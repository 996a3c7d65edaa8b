"""The addresses of the page of template pictures, for the console's site."""

from django.urls import URLPattern, path

from slots.console.pages import AdminView
from slots.console.template_list import page


def get_urls(view: AdminView) -> list[URLPattern]:
    """``view`` lets administrators in only."""
    return [
        path("templates/", view(page.template_list_page), name="templates"),
        path(
            "templates/<slug:media_id>/small/",
            view(page.template_small, cacheable=True),
            name="template_small",
        ),
    ]
