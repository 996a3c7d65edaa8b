import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand

TEMPLATE = """\
# Made by `make_env` with fresh random secrets. .env.example explains every variable.
SECRET_KEY={secret_key}
JWT_SIGNING_KEY={jwt_key}
FIELD_ENCRYPTION_KEY={fernet_key}
# Every name and address booths and people use; narrow it once the server has a fixed name.
ALLOWED_HOSTS=*
# GEMINI_API_KEY=
# TURBOTEXT_API_KEY=
"""


class Command(BaseCommand):
    help = "Write a .env with fresh random secrets, unless there is one."
    requires_system_checks: list[str] = []  # noqa: RUF012  it runs before there are any secrets

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--path", type=Path, default=settings.BASE_DIR / ".env")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        if path.exists():
            self.stdout.write(f"{path} is there already; nothing changed.")
            return
        path.touch(mode=0o600)
        path.write_text(
            TEMPLATE.format(
                secret_key=secrets.token_urlsafe(48),
                jwt_key=secrets.token_urlsafe(48),
                fernet_key=Fernet.generate_key().decode(),
            )
        )
        self.stdout.write(f"Wrote {path} with fresh secrets. Keep a copy in a safe place.")
