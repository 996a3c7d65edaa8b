"""What a guest's page shows: the picture, how to keep it, and how to send it on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from media.guests.look import GuestLook
from media.guests.share_pictures import Size, fit_size
from media.links import LinkBase, find_links
from media.services import LinkedResult

# Downloads of an iPhone go into a folder nobody looks into. An iPad calls itself a Mac; its page
# finds that out by itself.
APPLE_PHONE = re.compile(r"\b(iPhone|iPad|iPod)\b")


@dataclass(frozen=True, slots=True)
class Messenger:
    """A link that opens an app with our link in it: no script and no code of theirs."""

    name: str
    address: str


def add_headers(response: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    for name, value in headers.items():
        response[name] = value
    return response


def build_page_context(
    request: HttpRequest, linked: LinkedResult, size: Size | None, look: GuestLook
) -> dict[str, Any]:
    """``page`` is for others: it shows the picture and cannot delete it."""
    links = find_links(request)
    paths = {
        name: reverse(f"api:{url_name}", kwargs={"job_id": linked.media.view_id})
        for name, url_name in (
            ("page", "guest_page"),
            ("share", "share_picture"),
            ("qr", "result_qr"),
        )
    }
    page = links.address + paths["page"]
    return {
        "media": linked.media,
        "title": look.title,
        "look": look,
        "link_id": linked.link_id,
        "is_owner": linked.is_owner,
        "links": links,
        "page": page,
        "share_picture": links.address + paths["share"],
        "qr": paths["qr"] if links.is_for_phones else "",
        "size": size,
        "share_size": fit_size(size) if size else None,
        "messengers": _list_messengers(links, page, look.title),
        "is_apple_phone": bool(APPLE_PHONE.search(request.headers.get("User-Agent", ""))),
    }


def _list_messengers(links: LinkBase, page: str, title: str) -> list[Messenger]:
    """None where the receiver of the message could not open the link."""
    if not links.is_for_everybody:
        return []
    words = (
        _("My picture: %(title)s") % {"title": title}
        if title
        else _("My picture from the photo booth")
    )
    return [
        Messenger("Telegram", "https://t.me/share/url?" + _join(url=page, text=words)),
        Messenger("WhatsApp", "https://wa.me/?" + _join(text=f"{words} {page}")),
        Messenger("VK", "https://vk.com/share.php?" + _join(url=page, title=words)),
        Messenger(_("Mail"), "mailto:?" + _join(subject=words, body=page)),
    ]


def _join(**values: str) -> str:
    return urlencode(values, quote_via=quote)
