from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SlotsConfig(AppConfig):
    name = "slots"
    verbose_name = _("Slots")

    def ready(self) -> None:
        from media.guests.look import set_look_finder
        from slots.look.finding import find_guest_look

        set_look_finder(find_guest_look)
