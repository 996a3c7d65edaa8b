"""The page of e-mail: the mail server, a test, and what became of guests' letters."""

import asyncio
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from photochanger.db import in_db
from photochanger.errors import AppError, ProviderConfig
from slots.console.async_views import async_admin_view
from slots.console.mail.forms import MailServerForm
from slots.console.pages import AdminView, confirm_page, console_page
from slots.letters.access import (
    MailAccess,
    find_mail_server,
    open_access,
    remove_mail_server,
    save_mail_server,
)
from slots.letters.addresses import clean_address
from slots.letters.models import GuestLetter, MailServer
from slots.letters.queue import count_by_status, drop_letter, try_again
from slots.letters.smtp import MailFailed, build_mail, send_mail

SHOWN = 50


def get_urls(view: AdminView) -> list[URLPattern]:
    """``view`` lets administrators in only."""
    return [
        path("mail/", view(mail_page), name="mail"),
        path("mail/letters/", view(letters_part), name="mail_letters"),
        path("mail/test/", async_admin_view(test_mail), name="mail_test"),
        path("mail/remove/", view(remove_server), name="mail_remove"),
        path("mail/letters/<uuid:letter_id>/<slug:act>/", view(handle_letter), name="mail_letter"),
    ]


@require_http_methods(["GET", "POST"])
def mail_page(request: HttpRequest) -> HttpResponse:
    """A POST changes the mail server."""
    server = find_mail_server()
    known, is_unreadable = _open_or_none(server)
    initial = known.model_dump(exclude={"password"}) if known else {}
    initial["serves_guests"] = bool(server and server.serves_guests)
    form = MailServerForm(request.POST or None, initial=initial, known=known)
    if request.method == "POST" and form.is_valid() and _save(request, form):
        messages.success(request, _("The mail server is saved. Send a test."))
        return redirect("admin:mail")
    context = {
        "title": _("E-mail"),
        "form": form,
        "server": server,
        "is_unreadable": is_unreadable,
        **load_letters(server),
    }
    return console_page(request, "slots/console/mail.html", context)


def _open_or_none(server: MailServer | None) -> tuple[MailAccess | None, bool]:
    """What is stored; and whether it was encrypted with a key that is gone."""
    try:
        return (open_access(server) if server else None), False
    except ProviderConfig:
        return None, True


def _save(request: HttpRequest, form: MailServerForm) -> bool:
    try:
        save_mail_server(
            form.make_access(),
            serves_guests=form.cleaned_data["serves_guests"],
            by=request.user.get_username(),
        )
    except ProviderConfig:
        words = _("Secrets cannot be stored: FIELD_ENCRYPTION_KEY is not set in .env.")
        form.add_error(None, words)
        return False
    return True


@require_GET
def letters_part(request: HttpRequest) -> HttpResponse:
    """What is updated live."""
    return render(request, "slots/console/_letters.html", load_letters(find_mail_server()))


def load_letters(server: MailServer | None) -> dict[str, Any]:
    """Two queries."""
    return {
        "server": server,
        "counts": count_by_status(GuestLetter.objects.all()),
        "letters": list(GuestLetter.objects.all()[:SHOWN]),
    }


@require_POST
def remove_server(request: HttpRequest) -> HttpResponse:
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Remove the mail server?"),
            words=_("No e-mail leaves any more: no alerts and no letters to guests."),
            yes=_("Remove"),
        )
    remove_mail_server(by=request.user.get_username())
    messages.success(request, _("The mail server is removed."))
    return redirect("admin:mail")


@require_POST
def handle_letter(request: HttpRequest, letter_id: Any, act: str) -> HttpResponse:
    """Of a letter that waits: try again now, or drop it."""
    if act == "drop":
        drop_letter(letter_id)
    elif act == "retry":
        try_again(letter_id)
    return redirect("admin:mail")


async def test_mail(request: HttpRequest) -> HttpResponse:
    """Sent while the administrator waits: what the server says is what they need."""
    if request.method != "POST":
        return redirect("admin:mail")
    server = await in_db(_find_server_to_test)
    try:
        to = clean_address(request.POST.get("to", ""))
        if server is None:
            raise MailFailed(_("no mail server is set"))
        subject, words = _("A test of PhotoChanger"), _("E-mail from PhotoChanger arrives.")
        mail = build_mail(server, to=[to], subject=subject, body=words + "\n")
        await asyncio.to_thread(send_mail, server, mail)
    except AppError as exc:
        messages.error(request, str(exc.sentence))
    except MailFailed as exc:
        messages.error(request, _("Not sent. The mail server says: %(words)s") % {"words": exc})
    else:
        messages.success(request, _("The mail server has taken the test for %(to)s.") % {"to": to})
    return redirect("admin:mail")


def _find_server_to_test() -> MailAccess | None:
    return _open_or_none(find_mail_server())[0]
