"""Absolute links to our own pages, for whoever receives them."""

import ipaddress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.urls import reverse
from django.utils.translation import gettext as _

from media.guests.refusals import NoPublicAddress
from media.reach import (
    Reach,
    find_listening_port,
    find_own_address,
    is_listening,
    judge_address,
    judge_host,
)
from photochanger.request_scope import get_scope


@dataclass(frozen=True, slots=True)
class LinkBase:
    """What our links begin with, without a slash at the end, and who can follow them."""

    address: str
    reach: Reach
    is_heard: bool = True  # by this machine's network

    @property
    def is_for_phones(self) -> bool:
        """Whether another machine in the hall can open it: else there must be no QR code."""
        return self.reach >= Reach.NETWORK

    @property
    def is_for_everybody(self) -> bool:
        """Whether the receiver of a message can open it, and a messenger look at it."""
        return self.reach == Reach.WORLD

    @property
    def problem(self) -> str:
        """Why there is no code, and what to do; empty when there is one."""
        if self.is_for_phones:
            return ""
        own = find_own_address()
        if not own:
            words = _(
                "Only the server itself can open %(address)s, and it is in no network. Connect it, "
                "or set PUBLIC_BASE_URL in .env and start the server anew."
            )
        elif not self.is_heard:
            words = _(
                "Only the server itself can open %(address)s, and it listens to no one else. Set "
                "BIND=0.0.0.0:8000 or PUBLIC_BASE_URL in .env and start the server anew."
            )
        else:
            words = _(
                "Only the server itself can open %(address)s. Set PUBLIC_BASE_URL in .env, or list "
                "%(own)s in ALLOWED_HOSTS, and start the server anew."
            )
        return words % {"address": self.address, "own": own}


def build_url(request: HttpRequest, name: str, **parts: Any) -> str:
    """An absolute address by the name of its URL."""
    return build_url_of_path(request, reverse(name, kwargs=parts))


def build_url_of_path(request: HttpRequest, path: str) -> str:
    return f"{find_links(request).address}{path}"


def build_url_for_phones(request: HttpRequest, name: str, **parts: Any) -> str:
    """For a QR code. Raises NoPublicAddress when no phone could follow it."""
    links = find_links(request)
    if not links.is_for_phones:
        raise NoPublicAddress(f"{links.address} opens on this machine only")
    return f"{links.address}{reverse(name, kwargs=parts)}"


def find_link_base(request: HttpRequest) -> str:
    """Where our links begin for this caller, without a slash at the end.

    Empty when it reached us by a name that is not ours (``ALLOWED_HOSTS``), or that cannot be one:
    a link to there could lead anywhere.
    """
    try:
        return find_links(request).address
    except DisallowedHost:
        return ""


def find_phone_base(request: HttpRequest) -> str:
    """The same for a printed code; empty where no phone could follow it either."""
    try:
        links = find_links(request)
    except DisallowedHost:
        return ""
    return links.address if links.is_for_phones else ""


def find_links(request: HttpRequest) -> LinkBase:
    """Under ``PUBLIC_BASE_URL``, or else as the caller reached us, where others can follow.

    Where they cannot, under this machine's own address in its network, if the server listens
    there. A bare name is believed where the operator has written it. Raises DisallowedHost.
    """
    base: str = settings.PUBLIC_BASE_URL
    address = base or request.build_absolute_uri("/").removesuffix("/")
    reach = judge_address(address)
    if reach >= Reach.NETWORK or (base and reach == Reach.NAME):
        return LinkBase(address, max(reach, Reach.NETWORK))
    own, port = find_own_address(), find_own_port(request)
    if own and port and validate_host(own, settings.ALLOWED_HOSTS):
        return LinkBase(_format_base(own, port), judge_host(own))
    if reach == Reach.NAME and split_domain_port(request.get_host())[0] in settings.ALLOWED_HOSTS:
        reach = Reach.NETWORK
    return LinkBase(address, reach, is_heard=port is not None)


def find_own_port(request: HttpRequest | None = None) -> int | None:
    """At which this machine answers under its address in the network; None where it does not.

    Tried, where the request came through a socket; else as ``BIND`` says.
    """
    own = find_own_address()
    host, port = get_scope(request).get("server") or ("", None) if request else ("", None)
    if not own or not port or not _is_ip(host):
        return find_listening_port(settings.BIND, own) if own else None
    return port if is_listening(own, port) else None


def find_own_base() -> str:
    """This machine in its network as ``BIND`` says, if it answers to that; else empty."""
    own, port = find_own_address(), find_own_port()
    is_ours = own and port and validate_host(own, settings.ALLOWED_HOSTS)
    return _format_base(own, port) if is_ours and port else ""


def _format_base(own: str, port: int) -> str:
    return f"http://{own}" if port == 80 else f"http://{own}:{port}"


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
