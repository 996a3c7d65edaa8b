from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from slots.console import approval, gallery, pictures, prints, reserve, results, words
from slots.console import copy as copy_pages
from slots.console import history as history_pages
from slots.console import settings as settings_page
from slots.console import slot as slot_page
from slots.models import Setting, Slot


@admin.register(Slot)
class SlotAdmin(admin.ModelAdmin):
    list_display = ("id", "display_name", "provider", "operation", "is_active", "updated_at")
    list_filter = ("provider", "is_active")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        return slot_page.slot_page(request, object_id)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        return history_pages.history_page(request, object_id)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("pictures/", view(pictures.pictures_page), name="all_pictures"),
            path("<slot_id>/pictures/", view(pictures.pictures_page), name="slot_pictures"),
            path("<slot_id>/results/", view(results.results_part), name="slot_results"),
            path("<slot_id>/results.zip", view(pictures.results_zip), name="slot_results_zip"),
            path("<slot_id>/fields/", view(slot_page.slot_fields), name="slot_fields"),
            path("<slot_id>/templates/", view(slot_page.slot_templates), name="slot_templates"),
            path(
                "<slot_id>/templates/<slug:media_id>/",
                view(slot_page.template_picture, cacheable=True),
                name="slot_template",
            ),
            *words.get_urls(view),
            *prints.get_urls(view),
            path("<slot_id>/reserve/", view(reserve.reserve_page), name="slot_reserve"),
            path(
                "<slot_id>/gallery-address/",
                view(gallery.replace_address),
                name="slot_gallery_address",
            ),
            *approval.get_urls(view),
            path("<slot_id>/copy/", view(copy_pages.copy_page), name="slot_copy"),
            path(
                "<slot_id>/restore/<int:entry_id>/",
                view(history_pages.restore_page),
                name="slot_restore",
            ),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # fifteen links, made by migration

    def has_delete_permission(self, request: HttpRequest, obj: Slot | None = None) -> bool:
        return False


@admin.register(Setting)
class SettingAdmin(admin.ModelAdmin):
    """One form for all of them; the rows hold a password's hash and encrypted keys."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return settings_page.settings_page(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
