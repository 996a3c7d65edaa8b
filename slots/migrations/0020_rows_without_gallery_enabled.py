from django.db import migrations


def let_rows_do_without(apps, schema_editor):
    """The column that 0010 leaves on PostgreSQL is unknown to this version: its rows lack it."""
    if schema_editor.connection.vendor == "postgresql":
        table = schema_editor.quote_name("slot")
        schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN gallery_enabled SET DEFAULT false")


class Migration(migrations.Migration):
    dependencies = [("slots", "0019_event_slot_times")]
    operations = [migrations.RunPython(let_rows_do_without, migrations.RunPython.noop)]
