from django.db import migrations, models

from photochanger.db.online import AddIndexOnline, RemoveIndexOnline

FIGURES = (
    *("slot", "source", "status", "deadline", "failure_reason", "duration_ms", "provider_ms"),
    *("cost_micros", "probable_micros", "unpriced_calls"),
)


class Migration(migrations.Migration):
    """The new ones are there before the old ones go, and photos are written meanwhile."""

    atomic = False

    dependencies = [("ingest", "0018_budgets")]

    operations = [
        AddIndexOnline(
            model_name="job",
            index=models.Index(
                fields=["-started_at"], include=FIGURES, name="job_figures_and_costs_by_time"
            ),
        ),
        AddIndexOnline(
            model_name="job",
            index=models.Index(
                fields=["event", "-started_at"],
                include=FIGURES,
                name="job_figures_of_event_by_time",
                condition=models.Q(event__isnull=False),
            ),
        ),
        RemoveIndexOnline(model_name="job", name="job_figures_by_time"),
        RemoveIndexOnline(model_name="job", name="job_by_event_and_time"),
        migrations.AlterField(
            model_name="budget",
            name="soft_percent",
            field=models.PositiveSmallIntegerField(default=80, verbose_name="warn from, %"),
        ),
    ]
