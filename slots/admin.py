from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # fifteen links, made by migration

    def has_delete_permission(self, request: HttpRequest, obj: Slot | None = None) -> bool:
        return False


@admin.register(Setting)
class SettingAdmin(admin.ModelAdmin):
    """Names and times only: values hold a password's hash and encrypted keys."""

    list_display = ("key", "version", "updated_at", "updated_by")
    exclude = ("value",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
