from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.backends.signals import connection_created


class PhotoChangerConfig(AppConfig):
    default = True
    name = "photochanger"
    verbose_name = "PhotoChanger"

    def ready(self) -> None:
        from photochanger.checks import deployment, environment, monitoring  # noqa: F401  registers
        from photochanger.db import clock
        from photochanger.web import login  # noqa: F401  listens to log-ins

        connection_created.connect(clock.read_on_connecting)


class ConsoleConfig(admin.AdminConfig):
    """Django's admin, whose one site is the operators' console."""

    default = False
    default_site = "photochanger.admin.Console"

    def ready(self) -> None:
        super().ready()  # every app's own pages are registered now, Django's of users too
        from django.contrib.admin import site
        from django.contrib.auth.models import User

        from photochanger.web.administrators import AdministratorAdmin

        site.unregister(User)
        site.register(User, AdministratorAdmin)
