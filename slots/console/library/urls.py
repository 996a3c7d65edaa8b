"""The addresses of the library, for the console's site."""

from django.urls import URLPattern, path

from slots.console.library import own, pictures, shelf
from slots.console.pages import AdminView


def get_urls(view: AdminView) -> list[URLPattern]:
    """``view`` lets administrators in only."""
    return [
        path("library/", view(shelf.library_page), name="library"),
        path("library/put/", view(shelf.put_into_slot), name="library_put"),
        path("library/new/", view(own.new_preset_page), name="library_new"),
        path("library/export/", view(own.export_file), name="library_export"),
        path("library/import/", view(own.import_file), name="library_import"),
        path(
            "library/picture/<slug:media_id>/",
            view(pictures.kept_sample, cacheable=True),
            name="library_kept_sample",
        ),
        path("library/preset/<slug:key>/", view(own.preset_page), name="library_preset"),
        path("library/preset/<slug:key>/delete/", view(own.remove_preset), name="library_delete"),
        path(
            "library/preset/<slug:key>/picture/delete/",
            view(own.remove_sample),
            name="library_sample_delete",
        ),
    ]
