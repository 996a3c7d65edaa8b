"""Pictures of the library that come of photos: drawn by the simulator, or kept of a test."""

import zlib
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from PIL import Image

from ingest.console.trial import SAMPLE
from media.previews import make_preview
from providers.simulator.pictures import stylise_photo
from slots.console.library.access import for_editors, get_preset
from slots.console.library.shelf import can_draw

SIZE_PX = (512, 384)  # as the page shows it
TINT = 0.2  # of a colour of its own, so that twenty drawn ones can be told apart


@require_GET
@for_editors
def drawn_sample(request: HttpRequest, key: str) -> HttpResponse:
    """What the simulator makes of the sample portrait, where it stands in for the service."""
    preset = get_preset(key)
    if preset.driver is None or not can_draw(preset):
        raise Http404
    body = _draw(str(preset.driver.title), preset.name)
    headers = {"Cache-Control": "private, max-age=3600"}
    return HttpResponse(body, content_type="image/webp", headers=headers)


@lru_cache(maxsize=40)
def _draw(title: str, name: str) -> bytes:
    """WEBP, about 20 KB, so a process keeps 1 MB at most. Blocking, 50 ms."""
    image = stylise_photo([SAMPLE.read_bytes()], SIZE_PX, title=title, prompt=name)
    hue = zlib.crc32(name.encode()) % 256
    tint = Image.new("HSV", image.size, (hue, 200, 220)).convert("RGB")
    return make_preview(Image.blend(image, tint, TINT))
