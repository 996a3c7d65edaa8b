"""Pictures as bytes: detect the type, check that they are whole, decode and encode.

The type of a picture is always detected from its bytes. Names, declared types and metadata come
from outside and are never trusted. Whatever comes in goes out in one way: one frame, upright,
eight bits, in sRGB (`plain.py`); what is so already keeps every byte.
"""

from providers.pictures.decoding import decode, decode_file
from providers.pictures.encoding import encode
from providers.pictures.kinds import (
    EXTENSIONS,
    JPEG,
    PNG,
    WEBP,
    Picture,
    UnreadablePicture,
    sniff,
    sniff_result,
)
from providers.pictures.photo import Photo
from providers.pictures.preparing import prepare_photo

__all__ = [
    "EXTENSIONS",
    "JPEG",
    "PNG",
    "WEBP",
    "Photo",
    "Picture",
    "UnreadablePicture",
    "decode",
    "decode_file",
    "encode",
    "prepare_photo",
    "sniff",
    "sniff_result",
]
