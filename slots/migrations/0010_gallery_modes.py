from django.db import migrations, models

from slots.secrets import make_link_token


class RemoveLater(migrations.RemoveField):
    """The column stays for processes of the version before, until all are restarted.

    Not on SQLite, where one machine restarts as a whole, and where any change makes the table anew.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "sqlite":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def choose_modes(apps, schema_editor):
    """Open and closed stay so; each slot gets a secret address of its own, to be used or not."""
    for slot in apps.get_model("slots", "Slot").objects.all():
        slot.gallery_mode = "open" if slot.gallery_enabled else "closed"
        slot.gallery_token = make_link_token()
        slot.save(update_fields=["gallery_mode", "gallery_token"])
    setting = apps.get_model("slots", "Setting").objects
    if setting.filter(key="galleries_open", value=False).exists():
        setting.update_or_create(key="galleries", defaults={"value": "closed"})


def go_back(apps, schema_editor):
    """The version before knows no secret addresses: those galleries are closed there."""
    rows = apps.get_model("slots", "Slot").objects
    rows.update(gallery_enabled=False)
    rows.filter(gallery_mode="open").update(gallery_enabled=True)
    setting = apps.get_model("slots", "Setting").objects
    for row in setting.filter(key="galleries"):
        is_open = row.value == "open"
        setting.update_or_create(key="galleries_open", defaults={"value": is_open})
        row.delete()


class Migration(migrations.Migration):
    dependencies = [("slots", "0009_sealed_booth_password")]
    operations = [
        migrations.AddField(
            model_name='slot',
            name='gallery_mode',
            field=models.CharField(choices=[('open', "everybody who guesses the link"), ('secret', 'by a secret address'), ('closed', 'nobody')], default='open', help_text='It shows the faces of all guests. The address of the open one is easy to guess; the secret one is in QR codes and links only, and can be replaced.', max_length=10, verbose_name='who sees the gallery'),
        ),
        migrations.AddField(
            model_name='slot',
            name='gallery_token',
            field=models.CharField(default=make_link_token, editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name='slot',
            name='gallery_until',
            field=models.DateTimeField(blank=True, help_text='Then it closes. Empty: for as long as the slot is switched on.', null=True, verbose_name='gallery open until'),
        ),
        migrations.RunPython(choose_modes, go_back),
        RemoveLater(model_name="slot", name="gallery_enabled"),
    ]
