"""Pictures as bytes: detect the type, check that they are whole, decode and encode.

The type of a picture is always detected from its bytes. Names, declared types and metadata come
from outside and are never trusted. Whatever comes in goes out in one way: one frame, upright,
eight bits, in sRGB (`plain.py`); what is so already keeps every byte.
"""

from photochanger.pictures.decoding import decode, decode_file
from photochanger.pictures.encoding import encode
from photochanger.pictures.header import (
    EXTENSIONS,
    JPEG,
    PNG,
    WEBP,
    Picture,
    UnreadablePicture,
    UnsuitablePicture,
    sniff,
    sniff_result,
)
from photochanger.pictures.photo import Photo, prepare_photo

__all__ = [
    "EXTENSIONS",
    "JPEG",
    "PNG",
    "WEBP",
    "Photo",
    "Picture",
    "UnreadablePicture",
    "UnsuitablePicture",
    "decode",
    "decode_file",
    "encode",
    "prepare_photo",
    "sniff",
    "sniff_result",
]
