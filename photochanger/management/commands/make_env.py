import re
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

TEMPLATE = """\
# Made by `make_env` with fresh random secrets. .env.example explains every variable.
SECRET_KEY={secret_key}
JWT_SIGNING_KEY={jwt_key}
FIELD_ENCRYPTION_KEY={fernet_key}
METRICS_TOKEN={metrics_token}
{network}
# GEMINI_API_KEY=
# TURBOTEXT_API_KEY=
"""
CLOSED_NETWORK = """\
# This machine's own names and addresses in its network, whatever they are; add other names it has.
ALLOWED_HOSTS=private"""
BEHIND_FRONT = """\
# A front server on this machine has the certificate of this name, and it alone reaches us.
PUBLIC_BASE_URL=https://{address}
ALLOWED_HOSTS={address},127.0.0.1
COOKIES_OVER_HTTPS_ONLY=true
TRUSTED_PROXIES=127.0.0.1
BIND=127.0.0.1:8000"""


class Command(BaseCommand):
    help = "Write a .env with fresh random secrets, unless there is one."
    requires_system_checks: list[str] = []  # noqa: RUF012  it runs before there are any secrets

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--path",
            type=Path,
            default=settings.BASE_DIR / ".env",
            help="the file with the settings; default .env in this folder",
        )
        parser.add_argument(
            "--address",
            help="public name, such as photos.example.com: a front server on this machine answers "
            "for it with HTTPS",
        )

    def handle(self, *args: Any, path: Path, address: str | None, **options: Any) -> None:
        if address and not re.fullmatch(r"[A-Za-z0-9.-]+", address):
            raise CommandError(f"{address!r} is no name: letters, digits, dots and dashes only.")
        if path.exists():
            self.stdout.write(f"{path} is there already; nothing changed.")
            return
        path.touch(mode=0o600)
        path.write_text(
            TEMPLATE.format(
                secret_key=secrets.token_urlsafe(48),
                jwt_key=secrets.token_urlsafe(48),
                fernet_key=Fernet.generate_key().decode(),
                metrics_token=secrets.token_urlsafe(33),
                network=BEHIND_FRONT.format(address=address) if address else CLOSED_NETWORK,
            )
        )
        self.stdout.write(f"Wrote {path} with fresh secrets. Keep a copy in a safe place.")
