"""An alert by e-mail, through the mail server of this installation."""

from slots.letters.access import MailAccess
from slots.letters.smtp import MailFailed, build_mail, send_mail
from stats.watch.channels.failure import DeliveryFailed, mask_secrets, split_mail_addresses

NO_SERVER = "no mail server is set: the console's page \u201cE-mail\u201d"


def send_by_email(address: dict[str, str], title: str, body: str) -> None:
    """Blocking, some 30 s at most. Raises DeliveryFailed."""
    if not address.get("host"):
        raise DeliveryFailed(NO_SERVER)
    access = MailAccess.model_validate(address, extra="ignore")
    to = split_mail_addresses(address["to"])
    try:
        send_mail(access, build_mail(access, to=to, subject=title, body=body))
    except (MailFailed, ValueError) as exc:  # ValueError: a line break where none may be
        secrets = {access.password, *to} - {""}
        raise DeliveryFailed(mask_secrets(str(exc), secrets)) from None
