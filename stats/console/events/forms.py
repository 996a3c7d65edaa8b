"""The form of an event: what it is, its slots, its look, who is told."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from slots.models import Event, Slot
from slots.validation_messages import DATE
from stats.console.alerts.forms import make_moment_field
from stats.models import AlertRecipient

COLOURS = ("accent_colour", "background_colour")


class EventForm(forms.ModelForm):  # type: ignore[type-arg]  # no parameters at run time
    starts_at = make_moment_field(_("begins"))
    ends_at = make_moment_field(_("ends"))
    slots = forms.MultipleChoiceField(
        label=_("slots of the event"), required=False, widget=forms.CheckboxSelectMultiple
    )
    recipients = forms.ModelMultipleChoiceField(
        AlertRecipient.objects.all(),
        label=_("who is told"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Whoever is chosen for an event is told while it runs, and only of its slots. Who is "
            "chosen for none, or whose events are all over, is told always: switch off, in "
            "“Alerts”, who is to hear nothing more."
        ),
    )
    logo = forms.FileField(
        label=_("logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WEBP, 5 MB at most. It is kept 600 pixels wide."),
    )
    drops_logo = forms.BooleanField(label=_("without a logo"), required=False)

    class Meta:
        model = Event
        fields = (
            *("name", "public_title", "starts_at", "ends_at", *COLOURS, "gallery_mode", "note"),
        )
        widgets = {
            name: forms.TextInput(attrs={"placeholder": "#0f866c", "spellcheck": "false"})
            for name in COLOURS
        } | {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        slots = [(slot.pk, f"{slot.pk} · {slot}") for slot in Slot.objects.order_by("pk")]
        for name in ("starts_at", "ends_at"):
            self.fields[name].required = True
            self.fields[name].error_messages["invalid"] = DATE
        self._get_choices("slots").choices = slots
        modes = [("", _("as each slot has it")), *Slot.GalleryMode.choices]
        self._get_choices("gallery_mode").choices = modes

    def _get_choices(self, name: str) -> Any:
        return self.fields[name]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        begins, ends = given.get("starts_at"), given.get("ends_at")
        if begins and ends and ends <= begins:
            self.add_error("ends_at", _("The end is before the beginning."))
        return given

    def list_changed(self) -> list[str]:
        """English names of what was changed, for the trail."""
        with override(None):
            return [str(self.fields[name].label) for name in self.changed_data]
