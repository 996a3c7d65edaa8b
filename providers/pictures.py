"""Pictures, as drivers and those above them need them; `photochanger/pictures` has it all."""

from photochanger.pictures import (
    EXTENSIONS,
    JPEG,
    PNG,
    WEBP,
    Photo,
    Picture,
    UnreadablePicture,
    decode,
    decode_file,
    encode,
    prepare_photo,
    sniff,
    sniff_result,
)

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
