"""The order to capture a slot's next requests. There is one at a time, for the whole platform."""

from pydantic import AwareDatetime, BaseModel

from slots.models import Setting
from slots.setting_rows import store_row

CAPTURE_KEY = "capture"


class CaptureOrder(BaseModel, frozen=True):
    """Whose next requests are to be noted, for an administrator who looks into a strange booth."""

    id: int
    slot_id: str
    until: AwareDatetime


def store_capture_order(order: CaptureOrder | None, *, instead_of: int | None = None) -> None:
    """Store the capture that is on, or end it; with ``instead_of`` only if it is still that one."""
    row = Setting.objects.filter(key=CAPTURE_KEY)
    if instead_of is not None:
        row = row.filter(value__id=instead_of)
    if order is None:
        row.delete()
    else:
        store_row(CAPTURE_KEY, order.model_dump(mode="json"), by="")
