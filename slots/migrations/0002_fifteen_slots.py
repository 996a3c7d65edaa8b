from django.db import migrations


def make_slots(apps, schema_editor):
    slot = apps.get_model("slots", "Slot")
    slot.objects.bulk_create(
        [
            slot(id=f"slot-{number:03d}", display_name=f"Слот {number}")
            for number in range(1, 16)
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("slots", "0001_initial")]
    operations = [migrations.RunPython(make_slots, migrations.RunPython.noop)]
