"""Only administrators may see and change who is told, and events."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from slots.models import Slot

Page = Callable[..., HttpResponseBase]


def require_change(page: Page) -> Page:
    @wraps(page)
    def call_page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not admin.site.get_model_admin(Slot).has_change_permission(request):
            raise PermissionDenied
        return page(request, *args, **kwargs)

    return call_page
