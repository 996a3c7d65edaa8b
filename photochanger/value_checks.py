"""What a variable's value may be: each returns it, or raises ValueError with words for people.

No message repeats the value.
"""

import ipaddress
import re
import zoneinfo

HOST = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9A-Fa-f:.%]+\]")
BIND = re.compile(r"([\w.-]*|\[[0-9A-Fa-f:.%]*\]):(?P<port>\d{1,5})|unix:.+|fd://\d+")


def check_host(value: str) -> str:
    if not HOST.fullmatch(value):
        raise ValueError("must hold names and addresses alone, without https://, port and path")
    return value


def check_network(value: str) -> str:
    try:
        if value != "*":
            ipaddress.ip_network(value, strict=False)
    except ValueError as exc:
        raise ValueError("must hold addresses or networks, such as 172.16.0.0/12") from exc
    return value


def check_bind(value: str) -> str:
    match = BIND.fullmatch(value)
    if match is None or int(match["port"] or 0) > 65535:
        raise ValueError("must be an address and a port, such as 0.0.0.0:8000")
    return value


def check_time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError("must be a time zone, such as Europe/Moscow") from exc
    return value


def check_word(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", value):
        raise ValueError("must be one word of letters, digits, dots and dashes")
    return value


def check_prefix(value: str) -> str:
    if not re.fullmatch(r"/([\w.~-]+/)+", value):
        raise ValueError("must begin and end with a slash, such as /protected-media/")
    return value
