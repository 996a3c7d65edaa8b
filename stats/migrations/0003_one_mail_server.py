"""The mail server of the first recipient by e-mail becomes that of the installation."""

from django.db import migrations


def adopt_mail_server(apps, schema_editor):
    """Guests are not served by it until an administrator says so.

    The recipients keep their own copy: a server of the release before still sends by it.
    """
    from photochanger.errors import ProviderConfig
    from slots.letters.access import MailAccess
    from slots.secrets import encrypt
    from stats.watch.channels import open_address

    recipients = apps.get_model("stats", "AlertRecipient").objects.filter(channel="email")
    servers = apps.get_model("slots", "MailServer").objects
    if servers.exists():
        return
    for recipient in recipients.order_by("pk"):
        try:
            address = open_address(recipient.address)
        except ProviderConfig:
            continue  # it must be entered anew in any case
        told = {name: address.get(name, "") for name in MailAccess.model_fields}
        access = MailAccess.model_validate(told)
        servers.create(pk=1, access=encrypt(access.model_dump_json()), shown_as=access.describe())
        return


class Migration(migrations.Migration):
    dependencies = [
        ("slots", "0017_letters"),
        ("stats", "0002_events"),
    ]

    operations = [migrations.RunPython(adopt_mail_server, migrations.RunPython.noop)]
