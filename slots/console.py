"""Pages of the console beside Django's own: the platform's settings, and the stored pictures."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from media.archive import zip_of
from media.removal import purge
from media.services import kept_results
from photochanger.errors import InvalidFields
from providers.registry import DRIVERS
from slots.models import Slot
from slots.platform import read_settings, save_settings
from slots.schemas import SettingsIn

EVERYTHING = "everything"


class SettingsForm(forms.Form):
    """Bounds are judged where they are known, by ``save_settings``; a secret left empty stays."""

    sync_response_seconds = forms.IntegerField(
        label=gettext_lazy("waiting time, s"),
        help_text=gettext_lazy("10 to 60. Set the booth's own time-out 10 s longer."),
    )
    result_ttl_hours = forms.IntegerField(
        label=gettext_lazy("results are kept, hours"),
        help_text=gettext_lazy(
            "Also those there are: shorter deletes the older ones at the next cleanup, longer lets "
            "those live on whose time is not over yet."
        ),
    )
    galleries_open = forms.BooleanField(
        required=False,
        label=gettext_lazy("public galleries"),
        help_text=gettext_lazy(
            "A gallery shows the faces of a whole hall to everybody who guesses its address. "
            "Without this tick the galleries of all slots are closed."
        ),
    )
    gallery_size = forms.IntegerField(label=gettext_lazy("pictures in a gallery"))
    max_jobs_per_slot = forms.IntegerField(label=gettext_lazy("photos at one time per slot"))
    max_jobs_per_provider = forms.IntegerField(
        label=gettext_lazy("photos at one time per provider")
    )
    hash_check = forms.ChoiceField(
        label=gettext_lazy("the booth's hash of a photo"),
        choices=[
            ("off", gettext_lazy("is not looked at")),
            ("warn", gettext_lazy("is compared and recorded")),
            ("strict", gettext_lazy("must match")),
        ],
    )
    replay_by_hash = forms.BooleanField(
        required=False,
        label=gettext_lazy("answer an equal photo with its earlier picture"),
    )
    ingest_password = forms.CharField(
        required=False,
        label=gettext_lazy("new booth password"),
        help_text=gettext_lazy("Empty: stays as it is. Every booth must send it from now on."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in DRIVERS:
            self.fields[key_field(name)] = forms.CharField(
                required=False,
                label=_("new key of %(provider)s") % {"provider": name},
                help_text=_("Empty: stays as it is. It is stored encrypted and never shown."),
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            )

    def change(self) -> SettingsIn:
        values = dict(self.cleaned_data)
        keys = {name: values.pop(key_field(name)) for name in DRIVERS}
        if not values["ingest_password"]:
            del values["ingest_password"]
        values["provider_keys"] = {name: key for name, key in keys.items() if key}
        changed = {name: values[name] for name in values if self.is_changed(name)}
        # Not validated here: bounds and sentences are those of ``save_settings``.
        return SettingsIn.model_construct(_fields_set=set(changed), **changed)

    def is_changed(self, name: str) -> bool:
        return name == "provider_keys" or name in self.changed_data


def key_field(provider: str) -> str:
    return f"key_of_{provider}"


@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    now = read_settings()
    form = SettingsForm(request.POST or None, initial=now.model_dump())
    if request.method == "POST" and form.is_valid():
        try:
            save_settings(form.change(), by=request.user.get_username())
        except InvalidFields as exc:
            for name, words in exc.fields.items():
                provider = name.removeprefix("provider_keys.")
                form.add_error(key_field(provider) if provider in DRIVERS else name, str(words))
        else:
            messages.success(request, _("The settings are saved."))
            return redirect(request.path)
    return page(request, "admin/slots/settings.html", title=_("Settings"), form=form, settings=now)


class RangeForm(forms.Form):
    """From and until when, in the time zone of the installation; empty is open."""

    since = forms.DateTimeField(required=False)
    until = forms.DateTimeField(required=False)


@require_http_methods(["GET", "POST"])
def pictures_page(request: HttpRequest, slot_id: str | None = None) -> HttpResponse:
    """What is stored of a slot, or of all: to be downloaded, or deleted after being asked."""
    slot = get_object_or_404(Slot, pk=slot_id) if slot_id else None
    word = slot.pk if slot else EVERYTHING
    if request.method == "POST":
        if request.POST.get("confirm", "").strip() != word:
            messages.error(request, _("Nothing was deleted: the word was not typed."))
            return redirect(request.path)
        removed = purge(slot.pk if slot else None, by=request.user.get_username())
        messages.success(
            request,
            ngettext("%d file was deleted.", "%d files were deleted.", removed.files)
            % removed.files,
        )
        return redirect(request.path)
    kept = kept_results().filter(slot_id=slot.pk) if slot else kept_results()
    figures = kept.aggregate(files=Count("pk"), size_bytes=Sum("size_bytes"))
    return page(
        request, "admin/slots/pictures.html", title=_("Pictures"), slot=slot, word=word, **figures
    )


@require_GET
def results_zip(request: HttpRequest, slot_id: str) -> HttpResponse | StreamingHttpResponse:
    """Streamed, its length known beforehand: the browser shows how far it is."""
    slot = get_object_or_404(Slot, pk=slot_id)
    form = RangeForm(request.GET)
    if not form.is_valid():
        messages.error(request, _("A time is written as 2026-11-22 18:30."))
        return redirect(reverse("admin:slot_pictures", args=[slot.pk]))
    since: datetime | None = form.cleaned_data["since"]
    archive = zip_of(slot.pk, since=since, until=form.cleaned_data["until"])
    headers = {
        "Content-Length": str(archive.size_bytes),
        "Content-Disposition": f'attachment; filename="{archive.name}"',
    }
    return StreamingHttpResponse(archive.chunks, content_type="application/zip", headers=headers)


def page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return TemplateResponse(request, template, admin.site.each_context(request) | context)
