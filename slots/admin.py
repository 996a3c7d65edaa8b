from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from slots import console, history_pages, settings_page
from slots.models import Setting, Slot, SlotTemplateMedia
from slots.services import save_slot


class TemplateMediaInline(admin.TabularInline):
    """To look at: chosen here, a picture would keep the time of an unused one, and be cleaned up.

    ``slots.editing`` changes them.
    """

    model = SlotTemplateMedia
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Slot | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Slot | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Slot | None = None) -> bool:
        return False


@admin.register(Slot)
class SlotAdmin(admin.ModelAdmin):
    list_display = ("id", "display_name", "provider", "operation", "is_active", "updated_at")
    list_filter = ("provider", "is_active")
    readonly_fields = ("id", "version", "updated_at", "updated_by")
    inlines = (TemplateMediaInline,)

    def save_model(self, request: HttpRequest, obj: Slot, form: ModelForm, change: bool) -> None:
        save_slot(obj, by=request.user.get_username())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        return history_pages.history_page(request, object_id)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("pictures/", view(console.pictures_page), name="all_pictures"),
            path("<slot_id>/pictures/", view(console.pictures_page), name="slot_pictures"),
            path("<slot_id>/results.zip", view(console.results_zip), name="slot_results_zip"),
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
