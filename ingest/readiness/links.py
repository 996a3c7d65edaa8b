"""What a measured link means for photos, and what to set."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from ingest.readiness.result import OK, WARN, CheckResult
from providers.link import LinkSpeed

# The longest side of a camera-like JPEG in pixels, and its bytes; as bench/links measures with.
PHOTO_BYTES = ((6000, 14_000_000), (4800, 5_000_000), (3000, 2_000_000), (2400, 1_000_000))
PICTURE_BYTES, SENT_BYTES = 600_000, 1_000_000  # of a 1K picture, and of a photo made ready for it
PATIENCE_S = 2.0  # a guest hardly notices
USUAL_PX, USUAL_BYTES = PHOTO_BYTES[1]


def judge_booth_link(up_bytes_per_s: float, down_bytes_per_s: float) -> CheckResult:
    """``up`` is the booth's way to the server: the slow one in most halls."""
    words = _(
        "Up %(up)s Mbit/s, down %(down)s Mbit/s: a photo of %(px)s px is here after %(there)s s, "
        "its picture back after %(back)s s."
    ) % {
        "up": _to_megabits(up_bytes_per_s),
        "down": _to_megabits(down_bytes_per_s),
        "px": USUAL_PX,
        "there": _format_seconds(USUAL_BYTES / up_bytes_per_s),
        "back": _format_seconds(PICTURE_BYTES / down_bytes_per_s),
    }
    fitting = [px for px, size in PHOTO_BYTES if size <= PATIENCE_S * up_bytes_per_s]
    if not fitting:
        to_do = _(
            "Set the booth's maximum picture size to %(px)s px, and give it a cable or a better "
            "network."
        )
        return CheckResult(WARN, words, to_do % {"px": PHOTO_BYTES[-1][0]})
    if fitting[0] == PHOTO_BYTES[0][0]:
        return CheckResult(OK, words, _("The booth may send photos as large as it makes them."))
    to_do = _("Set the booth's maximum picture size to %(px)s px.") % {"px": fitting[0]}
    return CheckResult(OK if fitting[0] >= USUAL_PX else WARN, words, to_do)


def judge_service_link(speed: LinkSpeed) -> CheckResult:
    words = _("%(rate)s Mbit/s: a photo made ready for it is sent in %(took)s s.")
    if speed.is_least:
        words = _("More than %(rate)s Mbit/s: a photo made ready for it is sent in %(took)s s.")
    took_s = SENT_BYTES / speed.bytes_per_s
    words %= {"rate": _to_megabits(speed.bytes_per_s), "took": _format_seconds(took_s)}
    if took_s <= PATIENCE_S / 2:
        return CheckResult(OK, words)
    to_do = _("Look at the server's internet connection, or at the proxy to the service.")
    return CheckResult(WARN, words, to_do)


def _to_megabits(bytes_per_s: float) -> str:
    megabits = bytes_per_s * 8 / 1e6
    return number_format(megabits, 0 if megabits >= 10 else 1)


def _format_seconds(seconds: float) -> str:
    return number_format(max(seconds, 0.1), 1)
