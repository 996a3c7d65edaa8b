from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from media.guests.titles import set_title_finder


class SlotsConfig(AppConfig):
    name = "slots"
    verbose_name = _("Slots")

    def ready(self) -> None:
        from slots.gallery.titles import find_public_title

        set_title_finder(find_public_title)
