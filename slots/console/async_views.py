"""Asynchronous pages of the console: a synchronous page that waits for a provider would hold one of
the few lanes all that time."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from photochanger.db import in_db

Page = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def async_admin_view(page: Page) -> Page:
    """``AdminSite.admin_view`` for an asynchronous page, which Django's own does not take."""

    @wraps(page)
    async def call_page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not await in_db(admin.site.has_permission, request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        response = await page(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    return call_page
