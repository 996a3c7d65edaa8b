"""The codes themselves: of the app (RFC 6238, by pyotp), and for the day the phone is lost."""

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

import pyotp

from slots.secrets import ALPHABET

ISSUER = "PhotoChanger"
STEP_S = 30
WINDOW = 1  # steps before and after: phones are up to half a minute off
RECOVERY_CODES = 10
RECOVERY_LENGTH = 16  # of 32 letters: 80 bits, so that a plain hash is enough


def make_secret() -> str:
    """160 bits, as RFC 4226 asks."""
    return pyotp.random_base32()


def build_app_address(secret: str, username: str) -> str:
    """What the QR code says to the app: ``otpauth://…``."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=username, issuer_name=ISSUER)


def find_step(secret: str, code: str, now: datetime) -> int | None:
    """The step of time that ``code`` belongs to, of those that count now; None for a wrong one.

    It takes as long for any code: all steps are looked at.
    """
    totp = pyotp.TOTP(secret, interval=STEP_S)
    middle, found = totp.timecode(now), None
    for step in range(middle - WINDOW, middle + WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def is_app_code(code: str) -> bool:
    return len(code) == 6 and code.isascii() and code.isdigit()


def clean_code(typed: str) -> str:
    """A code as it is compared: people type blanks and dashes as they see them."""
    return "".join(sign for sign in typed.lower() if sign.isascii() and sign.isalnum())[:40]


def make_recovery_codes() -> list[str]:
    """In groups of four, to be typed from paper."""
    letters = [
        "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in letters]


def hash_recovery_code(factor_id: UUID, code: str) -> str:
    return hashlib.sha256(
        f"photochanger recovery\0{factor_id}\0{clean_code(code)}".encode()
    ).hexdigest()


def find_recovery_hash(hashes: list[str], factor_id: UUID, code: str) -> str | None:
    """Which of the hashes is that of ``code``; all are looked at."""
    tried, found = hash_recovery_code(factor_id, code), None
    for known in hashes:
        if hmac.compare_digest(known, tried):
            found = known
    return found
