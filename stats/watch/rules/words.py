"""Every rule in words: what is wrong, what to do, and the page where it is done."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from photochanger.errors import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``words`` and ``remedy`` are filled with facts; ``page`` is a name of the console's URLs.

    Where ``remedy`` is empty, it is that of the cause or the reason among the facts.
    """

    title: Text
    words: Text
    remedy: Text
    page: str
    query: str = ""


AT_LIMIT = {  # of a budget, by the names of ``Budget.AtLimit``
    "original": _("Not one photo more fits in: booths get their own photo back."),
    "refuse": _("Not one photo more fits in: booths get a refusal."),
    "alarm": _("Pictures are made as before."),
}
AT_LIMIT_OF_SOME = {  # where photos of other slots are cheaper, and still fit in
    "original": _("No photo of %(stopped)s fits in: their booths get their own photo back."),
    "refuse": _("No photo of %(stopped)s fits in: their booths get a refusal."),
}
RULES: Mapping[str, Rule] = {
    "failures_in_row": Rule(
        title=_("Photos fail"),
        words=_("%(slots)s: the last photos all failed. %(why)s"),
        remedy="",
        page="ingest_job_changelist",
        query="?outcome=failed",
    ),
    "failed_share": Rule(
        title=_("Too many photos fail"),
        words=_("%(slots)s: %(failed)s of the last %(photos)s photos failed. %(why)s"),
        remedy="",
        page="ingest_job_changelist",
        query="?outcome=failed",
    ),
    "booth_gone": Rule(
        title=_("The booth does not wait"),
        words=_(
            "%(slots)s: the booth hung up on its last photos after %(waited_s)s s, before the "
            "picture was ready, and printed the original."
        ),
        remedy=_("Set the time-out in the booth to %(needed_s)s s."),
        page="event",
    ),
    "booth_silent": Rule(
        title=_("The booth is silent"),
        words=_("%(slots)s: no photo for %(minutes)s min, and the event is on."),
        remedy=_(
            "Look whether the booth is on and has a network. If guests are being photographed, "
            "check the link in the booth, letter by letter."
        ),
        page="event",
    ),
    "wrong_password": Rule(
        title=_("A booth is refused for its password"),
        words=_("%(cause)s: %(slots)s, times: %(count)s. Booth: %(who)s"),
        remedy="",
        page="slots_setting_changelist",
    ),
    "unknown_link": Rule(
        title=_("A booth has a wrong link"),
        words=_("%(cause)s: %(slots)s, times: %(count)s. Booth: %(who)s"),
        remedy="",
        page="index",
    ),
    "refused": Rule(
        title=_("Photos are refused"),
        words=_("%(cause)s: %(slots)s, times: %(count)s. Booth: %(who)s"),
        remedy="",
        page="index",
    ),
    "quota": Rule(
        title=_("The quota is used up"),
        words=_("%(provider)s refuses photos: the quota of the account is used up. %(slots)s"),
        remedy=_(
            "Raise the limits or top up the account of the service; until then set the slots to "
            "the other AI service."
        ),
        page="slots_setting_changelist",
    ),
    "key_refused": Rule(
        title=_("The key is refused"),
        words=_("%(provider)s does not take our key, and every photo fails. %(slots)s"),
        remedy=_("Enter a working key in the settings and press “Check key”."),
        page="slots_setting_changelist",
    ),
    "service_away": Rule(
        title=_("The AI service does not answer"),
        words=_("%(provider)s: %(why)s"),
        remedy=_(
            "Check the server's internet connection. If it is all right, the service has an "
            "outage: set the slots to the other one."
        ),
        page="event",
    ),
    "on_reserve": Rule(
        title=_("The reserve works"),
        words=_("%(slots)s: %(provider)s fails, %(reserve)s works since %(at)s. %(why)s"),
        remedy=_(
            "Guests get their pictures. Look at the key and the account of the main service; it is "
            "tried again by itself. “Back to the main service” on the slot's card tries it at once."
        ),
        page="index",
    ),
    "budget": Rule(
        title=_("A budget is nearly spent"),
        words=_("%(budget)s: %(used)s, %(percent)s %% of the budget are used. %(spent)s"),
        remedy=_("Raise the budget, or choose what booths get at the limit."),
        page="budgets",
    ),
    "model_ending": Rule(
        title=_("A model is switched off"),
        words=_("The service switches off the model %(model)s: %(on)s. %(slots)s use it."),
        remedy=_("Choose another model in these slots and make a test photo."),
        page="index",
    ),
    "disk": Rule(
        title=_("The disk is nearly full"),
        words=_("Free for pictures: %(free)s. Without room no photo can be taken in."),
        remedy=_("Clean the media cache in the settings, or give the server more room."),
        page="slots_setting_changelist",
    ),
    "cleanup": Rule(
        title=_("Old pictures are not deleted"),
        words=_("The last cleanup: %(at)s. Pictures whose time is over stay, and the disk fills."),
        remedy=_("Let cron run “manage.py cleanup_media” every 15 minutes; its log says more."),
        page="event",
    ),
    "database": Rule(
        title=_("The database is away"),
        words=_("The server cannot reach its database: no photo is taken in at all."),
        remedy=_(
            "Start the database, and look whether its disk is full. Whoever runs the server finds "
            "more in its log."
        ),
        page="index",
    ),
    "clock": Rule(
        title=_("The clock is wrong"),
        words=_("The server's clock is wrong by about %(seconds)s s: photos may end too early."),
        remedy=_("Switch on time synchronisation (NTP) on the server."),
        page="event",
    ),
}
