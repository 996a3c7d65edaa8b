"""The form of the mail server."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from slots.letters.access import MailAccess

SECRET = {"autocomplete": "new-password", "spellcheck": "false", "autocapitalize": "off"}
SECURITY = [
    ("starttls", _("STARTTLS, mostly port 587")),
    ("tls", _("TLS, mostly port 465")),
    ("none", _("none, only in a network of your own")),
]


class MailServerForm(forms.Form):
    """``known``: what is stored. An empty password stays as it is."""

    sender = forms.EmailField(label=_("sender's address"))
    host = forms.RegexField(
        r"^[A-Za-z0-9.:-]{1,253}$",
        label=_("mail server"),
        help_text=_("Such as smtp.yandex.ru or smtp.gmail.com."),
        error_messages={"invalid": _("The name of a server, such as smtp.yandex.ru.")},
    )
    port = forms.IntegerField(min_value=1, max_value=65535, initial=587, label=_("port"))
    security = forms.ChoiceField(label=_("encryption"), choices=SECURITY)
    user = forms.CharField(required=False, label=_("user of the mail server"))
    password = forms.CharField(
        required=False,
        strip=False,
        label=_("password of the mail server"),
        widget=forms.PasswordInput(attrs=SECRET),
        help_text=_("Large services want a password made for this program alone."),
    )
    serves_guests = forms.BooleanField(
        required=False,
        label=_("guests may have their picture sent by e-mail"),
        help_text=_(
            "The picture's page asks for an address and for consent. Each picture goes to a few "
            "addresses at most, and the address is forgotten with the picture."
        ),
    )

    def __init__(self, *args: Any, known: MailAccess | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        if known and known.password:
            self.fields["password"].help_text = _(
                "Empty: stays as it is. It is stored encrypted and never shown again."
            )

    def make_access(self) -> MailAccess:
        """The stored password goes only to the server and the user it was typed for."""
        told = {name: self.cleaned_data[name] for name in MailAccess.model_fields}
        if not told["password"] and self.known and self._is_same_account():
            told["password"] = self.known.password
        return MailAccess.model_validate(told)

    def _is_same_account(self) -> bool:
        assert self.known is not None
        return (self.known.host, self.known.user) == (
            self.cleaned_data["host"],
            self.cleaned_data["user"],
        )

    def clean(self) -> dict[str, Any]:
        told = self.cleaned_data
        is_moved = {"host", "user"} <= told.keys() and self.known and not self._is_same_account()
        if is_moved and told.get("user") and not told.get("password"):
            self.add_error("password", _("For another server or user the password is needed."))
        return told
