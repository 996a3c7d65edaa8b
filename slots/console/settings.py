"""The settings page: everything that holds for the whole platform, changed in one go."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from media.faces.loading import face_nets
from photochanger.errors import InvalidFields
from providers.registry import DRIVERS
from slots.console.pages import confirm_page, console_page
from slots.history.wording import name_author
from slots.passwords import GENERATED_LENGTH, MAX_PASSWORD_BYTES, MIN_PASSWORD
from slots.schemas import ProviderKeyOut, SettingsIn
from slots.secrets import ALPHABET
from slots.settings_editing import read_settings, save_settings

NEW_SECRET = {"autocomplete": "new-password", "spellcheck": "false", "autocapitalize": "off"}


def build_number_field(least: int, most: int, **words: Any) -> forms.IntegerField:
    """Its bounds help whoever types; they are judged by ``save_settings``, with our sentences."""
    widget = forms.NumberInput(attrs={"min": least, "max": most, "inputmode": "numeric"})
    # With its first value hidden beside it, only what was changed here is saved: two people who
    # change different settings at once do not undo each other's.
    return forms.IntegerField(widget=widget, show_hidden_initial=True, **words)


class SettingsForm(forms.Form):
    """A secret left empty stays."""

    ingest_password = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("new booth password"),
        help_text=gettext_lazy("Empty: stays as it is. Every booth must send it from now on."),
        widget=forms.PasswordInput(
            attrs=NEW_SECRET | {"minlength": MIN_PASSWORD, "maxlength": MAX_PASSWORD_BYTES}
        ),
    )
    sync_response_seconds = build_number_field(10, 60, label=gettext_lazy("waiting time, s"))
    result_ttl_hours = build_number_field(
        *(1, 24 * 365),
        label=gettext_lazy("results are kept, hours"),
        help_text=gettext_lazy(
            "Also those there are: shorter deletes the older ones at the next cleanup, longer lets "
            "those live on whose time is not over yet."
        ),
    )
    galleries = forms.ChoiceField(
        show_hidden_initial=True,
        label=gettext_lazy("galleries of all slots"),
        help_text=gettext_lazy(
            "A gallery shows the faces of a whole hall. Each slot has a choice of its own; this "
            "one is the limit for all of them, at once."
        ),
        choices=[
            ("open", gettext_lazy("as each slot says")),
            ("secret", gettext_lazy("by secret addresses at most")),
            ("closed", gettext_lazy("closed")),
        ],
    )
    gallery_size = build_number_field(1, 100, label=gettext_lazy("pictures in a gallery"))
    max_jobs_per_slot = build_number_field(
        *(1, 1000),
        label=gettext_lazy("photos at one time per slot"),
        help_text=gettext_lazy("A photo too many is refused, and the booth may send it again."),
    )
    max_jobs_per_provider = build_number_field(
        *(1, 1000), label=gettext_lazy("photos at one time per provider")
    )
    hash_check = forms.ChoiceField(
        show_hidden_initial=True,
        label=gettext_lazy("the booth's hash of a photo"),
        help_text=gettext_lazy(
            "Real booths send a hash that nobody can compute; “must match” would refuse them."
        ),
        choices=[
            ("off", gettext_lazy("is not looked at")),
            ("warn", gettext_lazy("is compared and recorded")),
            ("strict", gettext_lazy("must match")),
        ],
    )
    faces = forms.ChoiceField(
        show_hidden_initial=True,
        label=gettext_lazy("people's faces"),
        help_text=gettext_lazy(
            "To notice mistakes of the AI service, faces in the photo and the result are counted, "
            "and their likeness is compared if you choose so. Nobody is identified: the numbers "
            "that describe a face live for seconds in memory and are never stored. Guests must be "
            "told, and where the law asks for it agree; you answer for that."
        ),
        choices=[
            ("off", gettext_lazy("are not looked at")),
            ("count", gettext_lazy("are counted")),
            ("likeness", gettext_lazy("are counted and compared by likeness")),
        ],
    )
    replay_by_hash = forms.BooleanField(
        required=False,
        show_hidden_initial=True,
        label=gettext_lazy("answer an equal photo with its earlier picture"),
        help_text=gettext_lazy("A booth that asks twice is not billed twice."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, driver in DRIVERS.items():
            self.fields[name_key_field(name)] = forms.CharField(
                required=False,
                label=_("new key of %(provider)s") % {"provider": driver.title},
                help_text=_("Empty: stays as it is. It is stored encrypted and never shown."),
                widget=forms.PasswordInput(attrs=NEW_SECRET),
            )

    def change(self) -> SettingsIn:
        values = dict(self.cleaned_data)
        keys = {name: values.pop(name_key_field(name)) for name in DRIVERS}
        if not values["ingest_password"]:
            del values["ingest_password"]
        changed = {name: values[name] for name in values if name in self.changed_data}
        if given := {name: key for name, key in keys.items() if key}:
            changed["provider_keys"] = given
        # Not validated here: bounds and sentences are those of ``save_settings``.
        return SettingsIn.model_construct(_fields_set=set(changed), **changed)

    def refuse(self, refusal: InvalidFields) -> None:
        """Each sentence beside its field."""
        for name, words in refusal.fields.items():
            provider = name.removeprefix("provider_keys.")
            self.add_error(name_key_field(provider) if provider in DRIVERS else name, str(words))

    def turn_to_first_error(self) -> None:
        for name in self.fields:
            if name in self.errors:
                self.fields[name].widget.attrs["autofocus"] = True
                return


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A provider's key on the page: whether there is one, and the field for a new one."""

    name: str
    title: str
    state: ProviderKeyOut
    field: forms.BoundField


def name_key_field(provider: str) -> str:
    return f"key_of_{provider}"


@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    now = read_settings()
    form = SettingsForm(request.POST or None, initial=now.model_dump())
    if request.method == "POST" and form.is_valid():
        try:
            save_settings(form.change(), by=request.user.get_username())
        except InvalidFields as exc:
            form.refuse(exc)
        else:
            messages.success(request, _("The settings are saved."))
            return redirect(request.path)
    form.turn_to_first_error()
    context = {
        "title": _("Settings"),
        "form": form,
        "settings": now,
        "password_author": name_author(now.ingest_password_rotated_by or ""),
        "letters": ALPHABET,
        "generated_length": GENERATED_LENGTH,
        "has_face_models": face_nets.are_files_there(django_settings.FACES_DIR),
        "keys": list(_list_key_rows(form, now.provider_keys)),
    }
    return console_page(request, "slots/console/settings.html", context)


def _list_key_rows(form: SettingsForm, states: dict[str, ProviderKeyOut]) -> Iterator[KeyRow]:
    for name, driver in DRIVERS.items():
        yield KeyRow(name, driver.title, states[name], form[name_key_field(name)])


@require_POST
def remove_key(request: HttpRequest, provider: str) -> HttpResponse:
    """Back to the environment's key, or to none; what is typed on the page stays there."""
    if provider not in DRIVERS:
        raise Http404
    title = DRIVERS[provider].title
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Remove the key of %(provider)s?") % {"provider": title},
            words=_("It cannot be brought back. Photos then use the key of .env, if any."),
            yes=_("Remove"),
        )
    change = SettingsIn(provider_keys={provider: ""})
    save_settings(change, by=request.user.get_username())
    messages.success(request, _("The key of %(provider)s is removed.") % {"provider": title})
    if request.headers.get("HX-Request") != "true":
        return redirect("admin:slots_setting_changelist")
    state = read_settings().provider_keys[provider]
    context = {"key": {"name": provider, "title": title, "state": state}, "shows_messages": True}
    return render(request, "slots/console/_key_state.html", context)
