from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class StatsConfig(AppConfig):
    name = "stats"
    verbose_name = _("Statistics")

    def ready(self) -> None:
        from ingest.events.steps import register_purge_step
        from stats.events.purge_step import purge_alerts, purge_letters
        from stats.percentiles import register_sqlite_percentile

        connection_created.connect(register_sqlite_percentile, dispatch_uid="stats.percentiles")
        register_purge_step(purge_alerts)
        register_purge_step(purge_letters)
