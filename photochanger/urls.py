from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from photochanger.api import api
from photochanger.web.login import console_login
from stats.views import healthz, livez, metrics

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="home"),
    path("admin/login/", console_login),
    path("admin/language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("livez", livez, name="livez"),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("", api.urls),
]
