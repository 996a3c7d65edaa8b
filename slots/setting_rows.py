"""The rows of the settings table, one per key: what every module that stores there goes through."""

from typing import Any

from django.db.models import F

from slots.models import Setting


def store_row(key: str, value: Any, *, by: str) -> None:
    """Store a value under its key, as the row's next version."""
    row, is_new = Setting.objects.get_or_create(
        key=key, defaults={"value": value, "updated_by": by}
    )
    if not is_new:
        row.value, row.updated_by, row.version = value, by, F("version") + 1
        row.save()


def store_fact(key: str, value: Any, *, by: str) -> None:
    """Store a fact of the platform that is no setting, such as when cleanup ran last."""
    store_row(key, value, by=by)


def replace_fact(key: str, value: Any) -> None:
    """Store a fact that nobody counts the versions of. One query."""
    Setting.objects.bulk_create(
        [Setting(key=key, value=value)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["value", "updated_at"],
    )


def load_fact(key: str) -> Any:
    """The value stored by ``store_fact``, or None."""
    return Setting.objects.filter(key=key).values_list("value", flat=True).first()
