from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IngestConfig(AppConfig):
    name = "ingest"
    verbose_name = _("Photos")

    def ready(self) -> None:
        from ingest.trials.version_pictures import find_version_pictures
        from slots.history.pictures import set_picture_finder

        set_picture_finder(find_version_pictures)
