"""The URLs of alerts and of those who are told."""

from django.urls import URLPattern, path

from slots.console.pages import AdminView
from stats.console.alerts import alarm, page, recipients


def get_alert_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    return [
        path("alarm/", admin_view(alarm.alarm_part), name="alarm"),
        path("alerts/", admin_view(page.alerts_page), name="alerts"),
        path("alerts/news/", admin_view(page.alerts_part), name="alerts_part"),
        path(
            "alerts/new/<slug:channel>/",
            admin_view(recipients.add_recipient),
            name="add_recipient",
        ),
        path(
            "alerts/recipient/<int:recipient_id>/",
            admin_view(recipients.edit_recipient),
            name="stats_alertrecipient_change",
        ),
        path(
            "alerts/recipient/<int:recipient_id>/remove/",
            admin_view(recipients.remove_recipient),
            name="remove_recipient",
        ),
        path(
            "alerts/recipient/<int:recipient_id>/test/",
            admin_view(recipients.test_recipient),
            name="test_recipient",
        ),
        path(
            "alerts/message/<int:message_id>/<slug:act>/",
            admin_view(recipients.handle_message),
            name="handle_alert_message",
        ),
    ]
