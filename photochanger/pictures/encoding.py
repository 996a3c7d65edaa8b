"""Encode a plain picture."""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from photochanger.pictures.header import JPEG, PNG, WEBP

FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
SHARP = {"subsampling": 0}  # of a JPEG: colours as fine as the brightness


def encode(
    image: Image.Image,
    mime: str,
    *,
    quality: int,
    dpi: tuple[float, float] | None = None,
    is_sharp: bool = False,
    xmp: bytes = b"",
) -> bytes:
    """The picture without metadata and profile: nothing but sRGB is left in it, and ``xmp``.

    Where the format has no transparency, the picture is put on white. ``is_sharp``: keep the
    edges of coloured things in a JPEG, for a fifth more bytes.
    """
    if mime == JPEG and image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    options: dict[str, object] = {"compress_level": 4} if mime == PNG else {"quality": quality}
    if mime == JPEG and is_sharp:
        options |= SHARP
    if dpi is not None:
        options["dpi"] = dpi
    options |= _make_xmp_option(mime, xmp)
    out = io.BytesIO()
    # By default Pillow writes the original's comment again.
    image.save(out, FORMATS[mime], icc_profile=None, exif=b"", comment=b"", **options)
    return out.getvalue()


def _make_xmp_option(mime: str, xmp: bytes) -> dict[str, object]:
    if not xmp:
        return {}
    if mime != PNG:
        return {"xmp": xmp}
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return {"pnginfo": texts}
