from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class StatsConfig(AppConfig):
    name = "stats"
    verbose_name = _("Statistics")

    def ready(self) -> None:
        from stats.percentiles import teach_sqlite

        connection_created.connect(teach_sqlite, dispatch_uid="stats.percentiles")
