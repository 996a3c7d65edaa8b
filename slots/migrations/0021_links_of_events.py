import django.db.models.deletion
from django.db import migrations, models

import slots.secrets


class Migration(migrations.Migration):
    """The column of the key keeps its name: servers of the release before write it."""

    dependencies = [("slots", "0020_rows_without_gallery_enabled")]
    operations = [
        migrations.AlterField(
            model_name="approvallink",
            name="slot",
            field=models.CharField(
                db_column="slot_id", max_length=30, primary_key=True, serialize=False
            ),
        ),
        migrations.RenameField(model_name="approvallink", old_name="slot", new_name="key"),
        migrations.AlterField(
            model_name="approvallink",
            name="expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="approvallink",
            name="event",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="approval_link",
                to="slots.event",
            ),
        ),
        migrations.AddField(
            model_name="approvallink",
            name="pin_sealed",
            field=slots.secrets.CiphertextField(blank=True, db_default="", default=""),
        ),
    ]
