"""The list of administrators: to look at. They come from a file, so that no page makes one."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from slots.history.records import COMMAND


class AdministratorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only; ``manage.py sync_admins`` adds, changes and closes out."""

    list_display = ("username", "is_active", "last_login", "date_joined")
    ordering = ("username",)
    fields = ("username", "is_active", "last_login", "date_joined")
    actions = None
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Without the author of what commands have changed, who never logs in."""
        return super().get_queryset(request).exclude(username=COMMAND)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        path = settings.ADMIN_CREDENTIALS_PATH
        shown = {"title": _("Administrators"), "credentials_path": path.name}
        return super().changelist_view(request, (extra_context or {}) | shown)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False
