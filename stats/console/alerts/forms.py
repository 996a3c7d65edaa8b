"""Forms of recipients, one for each way in which a message can come, and of the limits."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from photochanger.db import clock
from photochanger.errors import Text
from slots.console.dates import MomentField
from stats.models import AlertRecipient, Severity
from stats.watch.channels import Address
from stats.watch.channels.by_apprise import is_known_link
from stats.watch.channels.failure import split_mail_addresses
from stats.watch.findings import AlertSettings
from stats.watch.rules.words import RULES

SECRET = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
KEPT = _("Empty: stays as it is. It is stored encrypted and never shown again.")
TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class RecipientForm(forms.Form):
    """What all ways have in common. ``secrets`` may be left empty when there are some already."""

    secrets: tuple[str, ...] = ()
    address_fields: tuple[str, ...] = ()

    name = forms.CharField(
        label=_("recipient"), max_length=80, help_text=_("For you, such as “Anna, technician”.")
    )

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= make_choice_fields()
        for name in self.secrets if not is_new else ():
            self.fields[name].required = False
            self.fields[name].help_text = KEPT

    def get_address(self) -> Address:
        return {name: str(self.cleaned_data.get(name) or "") for name in self.address_fields}

    def get_values(self) -> dict[str, Any]:
        told = self.cleaned_data["rules"]
        return {
            "name": self.cleaned_data["name"],
            "language": self.cleaned_data["language"],
            "least_severity": self.cleaned_data["least_severity"],
            "muted_rules": [rule for rule in RULES if rule not in told],
            "quiet_from": self.cleaned_data["quiet_from"],
            "quiet_until": self.cleaned_data["quiet_until"],
            "wakes_for_critical": self.cleaned_data["wakes_for_critical"],
            "is_active": self.cleaned_data["is_active"],
        }

    def clean(self) -> dict[str, Any]:
        begins, ends = self.cleaned_data.get("quiet_from"), self.cleaned_data.get("quiet_until")
        if (begins is None) != (ends is None):
            self.add_error("quiet_until", _("Quiet hours need a beginning and an end."))
        return self.cleaned_data


def make_choice_fields() -> dict[str, forms.Field]:
    return {
        "least_severity": forms.ChoiceField(
            label=_("told of"),
            choices=[
                (Severity.WARNING, _("everything")),
                (Severity.CRITICAL, _("only what stops photos")),
            ],
        ),
        "language": forms.ChoiceField(
            label=_("language"), choices=[("ru", "Русский"), ("en", "English")]
        ),
        "quiet_from": forms.TimeField(required=False, label=_("quiet from"), widget=TIME),
        "quiet_until": forms.TimeField(
            required=False,
            label=_("quiet until"),
            widget=TIME,
            help_text=_("What happens in quiet hours is told when they are over."),
        ),
        "wakes_for_critical": forms.BooleanField(
            required=False, label=_("what stops photos is told in quiet hours too")
        ),
        "is_active": forms.BooleanField(required=False, label=_("switched on")),
        "rules": forms.MultipleChoiceField(
            label=_("rules"),
            required=False,
            choices=[(name, rule.title) for name, rule in RULES.items()],
            widget=forms.CheckboxSelectMultiple,
        ),
    }


class TelegramForm(RecipientForm):
    secrets = address_fields = ("token", "chat")

    token = forms.RegexField(
        r"^\d{5,20}:[\w-]{20,100}$",
        label=_("token of the bot"),
        widget=forms.PasswordInput(attrs=SECRET),
        help_text=_("Write /newbot to @BotFather in Telegram: it answers with the token."),
        error_messages={"invalid": _("A token looks like 123456789:AAF… – copy it whole.")},
    )
    chat = forms.RegexField(
        r"^(-?\d{1,20}|@\w{4,64})$",
        label=_("number of the chat"),
        widget=forms.TextInput(attrs=SECRET),
        help_text=_(
            "Yours: write anything to the new bot, then /start to @userinfobot. A group's number "
            "begins with a minus."
        ),
        error_messages={"invalid": _("Digits, perhaps with a minus in front; or @name.")},
    )


class EmailForm(RecipientForm):
    """The mail server is the installation's, set on the page of e-mail."""

    secrets = address_fields = ("to",)

    to = forms.CharField(
        label=_("to"),
        widget=forms.TextInput(attrs=SECRET | {"inputmode": "email"}),
        help_text=_("One address or several, with commas."),
    )

    def clean_to(self) -> str:
        found = split_mail_addresses(self.cleaned_data["to"])
        for address in found:
            validate_email(address)
        return ", ".join(found)


class LinkForm(RecipientForm):
    secrets = address_fields = ("link",)

    link = forms.CharField(
        label=_("link of Apprise"),
        max_length=1000,
        widget=forms.PasswordInput(attrs=SECRET),
        help_text=_(
            "For a hundred other services: ntfy://, slack://, discord://, matrix://, jsons:// and "
            "more; see github.com/caronc/apprise/wiki."
        ),
    )

    def clean_link(self) -> str:
        link: str = self.cleaned_data["link"].strip()
        if link and not (re.match(r"[a-zA-Z0-9]+://", link) and is_known_link(link)):
            raise ValidationError(_("Apprise does not know such a link."))
        return link


FORMS: dict[str, type[RecipientForm]] = {
    AlertRecipient.Channel.TELEGRAM: TelegramForm,
    AlertRecipient.Channel.EMAIL: EmailForm,
    AlertRecipient.Channel.LINK: LinkForm,
}


def make_moment_field(label: Text) -> MomentField:
    return MomentField(
        required=False,
        label=label,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


class LimitsForm(forms.Form):
    failures_in_row = forms.IntegerField(
        min_value=1,
        max_value=20,
        label=_("photos in a row that fail"),
        help_text=_("With so many failures of a slot one after the other you are told."),
    )
    failed_share_percent = forms.IntegerField(
        min_value=5,
        max_value=100,
        label=_("share that fails, %"),
        help_text=_("Of a slot's last ten photos within 15 minutes."),
    )
    event_from = make_moment_field(_("the event begins"))
    event_until = make_moment_field(_("the event ends"))
    silent_minutes = forms.IntegerField(
        min_value=2,
        max_value=240,
        label=_("minutes without a photo"),
        help_text=_("During the event a slot that had photos must not be silent for longer."),
    )

    def clean(self) -> dict[str, Any]:
        begins, ends = self.cleaned_data.get("event_from"), self.cleaned_data.get("event_until")
        if begins and not ends:
            self.add_error("event_until", _("An event needs a beginning and an end."))
        if ends and not begins:
            self.cleaned_data["event_from"] = begins = clock.now()
        if begins and ends and ends <= begins:
            self.add_error("event_until", _("The end is before the beginning."))
        return self.cleaned_data

    def make_settings(self) -> AlertSettings:
        return AlertSettings(**self.cleaned_data)
