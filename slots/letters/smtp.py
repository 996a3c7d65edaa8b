"""Hand an e-mail to the mail server; the one way in which any e-mail leaves."""

import smtplib
import ssl
from collections.abc import Sequence
from email.utils import format_datetime, make_msgid

from django.core.mail import EmailMessage

from photochanger.db import clock
from slots.letters.access import MailAccess

ANSWER_S, SEND_S = 10.0, 90.0  # to connect and for each answer; for the whole body


class MailFailed(Exception):
    """``str(exc)`` is what the server said. It may name the address: mask it."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final  # trying again would bring the same


def build_mail(
    access: MailAccess,
    *,
    to: Sequence[str],
    subject: str,
    body: str,
    name: str = "PhotoChanger",
    number: str = "",
) -> EmailMessage:
    """``number``: the same for the same mail, so that a mailbox shows it once if it comes twice.

    Django writes the headers: it folds letters of all alphabets rightly, and refuses line breaks.
    """
    domain = access.sender.rpartition("@")[2]
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        from_email=f'"{_clean_name(name)}" <{access.sender}>',
        to=list(to),
        headers={
            "Auto-Submitted": "auto-generated",  # nobody's absence note answers it
            "Date": format_datetime(clock.now()),
            "Message-ID": f"<{number}@{domain}>" if number else make_msgid(domain=domain),
        },
    )


def _clean_name(name: str) -> str:
    return "".join(char for char in name if char.isprintable() and char not in '"\\<>')[:80]


def send_mail(access: MailAccess, mail: EmailMessage) -> None:
    """Blocking: some 30 s at most, and 90 s for the body. Raises MailFailed, ValueError.

    ValueError: a line break in what stands in a header.
    """
    try:
        with _connect(access) as server:
            if access.user:
                server.login(access.user, access.password)
            if server.sock is not None:
                server.sock.settimeout(SEND_S)
            body = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
            refused = server.sendmail(access.sender, mail.to, body)
    except smtplib.SMTPRecipientsRefused as exc:
        raise _describe_refusal(exc.recipients) from None
    except smtplib.SMTPResponseException as exc:
        words = exc.smtp_error.decode(errors="replace") if isinstance(exc.smtp_error, bytes) else ""
        is_final = isinstance(exc, smtplib.SMTPDataError) and exc.smtp_code >= 500
        raise MailFailed(f"{exc.smtp_code} {words}", is_final=is_final) from None
    except (OSError, smtplib.SMTPException, UnicodeError) as exc:
        raise MailFailed(f"{type(exc).__name__}: {exc}") from None
    if refused:
        raise _describe_refusal(refused)


def _connect(access: MailAccess) -> smtplib.SMTP:
    # Not this machine's name, which would be looked up for as long as the network likes.
    name = access.sender.rpartition("@")[2]
    if access.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(access.host, access.port, name, timeout=ANSWER_S, context=context)
    server = smtplib.SMTP(access.host, access.port, name, timeout=ANSWER_S)
    if access.security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _describe_refusal(refused: dict[str, tuple[int, bytes]]) -> MailFailed:
    code, words = next(iter(refused.values()))
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return MailFailed(f"{code} {text}", is_final=code >= 500)
