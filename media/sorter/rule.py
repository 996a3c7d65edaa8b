"""Which pictures may go on show unseen."""

from PIL import Image

from media.faces.decoding import shrink_for_detection

LOOK_AT_PX = 256  # both sides, whatever they were: so the net was trained
# To hold back one too many costs somebody a tap, one too few may cost the evening. The net's
# authors call what is below 0.2 safe; groups of the faces data and posters of them reach 0.1.
SAFE_BELOW = 0.2


def shrink_for_sorting(image: Image.Image) -> Image.Image:
    """A small RGB copy of 200 kB, whatever the picture is. Blocking, 1-20 ms."""
    small = shrink_for_detection(image)
    return small.resize((LOOK_AT_PX, LOOK_AT_PX), Image.Resampling.BILINEAR)
