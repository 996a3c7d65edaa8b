from django.contrib import admin
from django.http import HttpRequest

from media.models import MediaObject


@admin.register(MediaObject)
class MediaObjectAdmin(admin.ModelAdmin):
    list_display = ("path", "kind", "slot_id", "size_bytes", "created_at", "expires_at")
    list_filter = ("kind", "slot_id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: MediaObject | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MediaObject | None = None) -> bool:
        return False  # a row that goes while its file stays would leave the file for ever
