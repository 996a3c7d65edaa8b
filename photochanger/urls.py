from django.contrib import admin
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from django.views.i18n import set_language

from photochanger.api import api
from photochanger.web.api_description import openapi_json
from photochanger.web.code_step import login_code_page
from photochanger.web.login import console_login, console_logout
from stats.views import healthz, livez, metrics

# Only for looking: a redirect would lose what a booth posts to the bare address.
home = RedirectView.as_view(url="/admin/", http_method_names=["get", "head"])

urlpatterns = [
    path("", csrf_exempt(home), name="home"),
    path("admin/login/", console_login),
    path("admin/login/code/", login_code_page, name="login_code"),
    path("admin/logout/", console_logout),
    path("admin/language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("livez", livez, name="livez"),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("api/openapi.json", openapi_json),  # before Ninja's, which makes it anew each time
    path("", api.urls),
]

handler403 = "photochanger.web.error_pages.show_forbidden"
handler404 = "photochanger.web.error_pages.show_not_found"
handler500 = "photochanger.web.error_pages.show_error"
