"""The URLs of this package's pages, for the console's site."""

from django.urls import URLPattern, path

from slots.console.pages import AdminView
from stats.console import dashboard, report, sources, statistics, steps
from stats.console.alerts.urls import get_alert_urls
from stats.console.client_report import client_report
from stats.console.events.urls import get_event_urls


def get_console_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    """``admin_view`` is the site's: it lets administrators in only."""
    return [
        path("session/", admin_view(dashboard.session), name="session"),
        path("board/", admin_view(dashboard.dashboard_part), name="dashboard"),
        path("board/<slug:slot_id>/switch/", admin_view(dashboard.switch_slot), name="switch_slot"),
        path("board/<slug:slot_id>/reserve/", admin_view(sources.use_reserve), name="use_reserve"),
        path("board/<slug:slot_id>/main/", admin_view(sources.use_main), name="use_main"),
        path(
            "board/<slug:slot_id>/cleanup/",
            admin_view(dashboard.clean_up_slot),
            name="clean_up_slot",
        ),
        *get_alert_urls(admin_view),
        *get_event_urls(admin_view),
        path("events/<int:event_id>/report/", admin_view(client_report), name="event_report"),
        path("statistics/", admin_view(statistics.statistics_page), name="statistics"),
        path("statistics/report.csv", admin_view(report.statistics_csv), name="statistics_csv"),
        path("statistics/plots/", admin_view(statistics.plots_part), name="statistics_plots"),
        path("statistics/faces/", admin_view(statistics.faces_part), name="statistics_faces"),
        path("statistics/steps/", admin_view(steps.steps_part), name="statistics_steps"),
        path("statistics/storage/", admin_view(statistics.storage_part), name="statistics_storage"),
    ]
