"""Good answers in odd packings: a client that reads on has the picture it paid for."""

import gzip
import re
import zlib
from collections.abc import Callable
from typing import Any

import orjson

from providers.simulator.credentials import add_credentials
from providers.simulator.gemini.answers import (
    Work,
    build_success,
    draw,
    make_picture_part,
    make_signed_part,
)
from providers.simulator.wire import Answer, Ending, make_json_answer

LINE_CHARS = 76  # of base64 in a mail
DRAFT_PX = (512, 512)


def answer_base64(change: Callable[[str], str]) -> Callable[[Work], Answer]:
    def build(work: Work) -> Answer:
        part = make_signed_part(draw(work))
        part["inlineData"]["data"] = change(part["inlineData"]["data"])
        return make_json_answer(build_success(work, part))

    return build


def break_lines(data: str, ending: str = "\r\n") -> str:
    return ending.join(data[at : at + LINE_CHARS] for at in range(0, len(data), LINE_CHARS))


def break_lines_with_blanks(data: str) -> str:
    return f" {break_lines(data, ' ')} "


def make_data_uri(data: str) -> str:
    return f"data:image/jpeg;base64,{data}"


def percent_encode(data: str) -> str:
    return data.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def answer_body(change: Callable[[bytes], bytes], **headers: str) -> Callable[[Work], Answer]:
    """The ordinary answer, its bytes changed."""

    def build(work: Work) -> Answer:
        body = orjson.dumps(build_success(work, make_signed_part(draw(work))))
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return Answer(body=change(body), headers=named)

    return build


def add_mark(body: bytes) -> bytes:
    return b"\xef\xbb\xbf" + body


def wrap_list(body: bytes) -> bytes:
    return b"[" + body + b"]"


def make_event(body: bytes) -> bytes:
    return b"data: " + body + b"\n\ndata: [DONE]\n\n"


def add_warning(body: bytes) -> bytes:
    return b"<br />\n<b>Warning</b>: gateway is slow\n" + body + b"\n"


def break_raw_lines(body: bytes) -> bytes:
    """Line breaks as such inside of a text, which JSON forbids."""
    return re.sub(rb"[A-Za-z0-9+/]{76}", rb"\g<0>\n", body)


def to_utf16(body: bytes) -> bytes:
    return body.decode().encode("utf-16")


def pack_gzip(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=1)


def pack_raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(level=1, wbits=-15)
    return packer.compress(body) + packer.flush()


def answer_cut_after_picture(work: Work) -> Answer:
    """The connection is lost when all but the last brackets came."""
    body = orjson.dumps(build_success(work, make_signed_part(draw(work))))
    came = body[: body.rindex(b"usageMetadata")]
    return Answer(body=came.ljust(2 * len(came)), ending=Ending.HALF)


def answer_with_status(status: int) -> Callable[[Work], Answer]:
    return lambda work: make_json_answer(build_success(work, make_signed_part(draw(work))), status)


def answer_with_credentials(file_format: str) -> Callable[[Work], Answer]:
    """The picture with C2PA and XMP beside its pixels."""

    def build(work: Work) -> Answer:
        body = add_credentials(draw(work, file_format))
        part = make_signed_part(body, f"image/{file_format.lower()}")
        return make_json_answer(build_success(work, part))

    return build


def answer_markdown(work: Work) -> Answer:
    """The picture inside of a text, as relays of chats write it."""
    blob = make_picture_part(draw(work))["inlineData"]
    text = f"Here it is:\n![image](data:{blob['mimeType']};base64,{blob['data']})"
    return make_json_answer(build_success(work, {"text": text}))


def answer_half_snake(work: Work) -> Answer:
    """Both spellings in one answer."""
    blob = make_picture_part(draw(work))["inlineData"]
    part = {"inline_data": {"mime_type": blob["mimeType"], "data": blob["data"]}, "thought": None}
    return make_json_answer(build_success(work, {"text": "Here you are."}, part))


def answer_parts_as_object(work: Work) -> Answer:
    message = build_success(work, make_signed_part(draw(work)))
    content: dict[str, Any] = message["candidates"][0]["content"]
    content["parts"] = content["parts"][0]
    return make_json_answer(message)


def answer_good_with(finish: str) -> Callable[[Work], Answer]:
    return lambda work: make_json_answer(
        build_success(work, make_signed_part(draw(work)), finish=finish)
    )


def answer_half_with(finish: str) -> Callable[[Work], Answer]:
    """A picture that was broken off, and the reason why."""

    def build(work: Work) -> Answer:
        body = draw(work)
        part = make_signed_part(body[: len(body) // 2])
        return make_json_answer(build_success(work, part, finish=finish))

    return build


def answer_broken_last(work: Work) -> Answer:
    body = draw(work)
    broken = make_signed_part(body[: len(body) // 3])
    return make_json_answer(build_success(work, make_signed_part(body), broken))


def answer_thought_only(finish: str = "STOP") -> Callable[[Work], Answer]:
    def build(work: Work) -> Answer:
        draft = make_picture_part(draw(work, size=DRAFT_PX), thought=True)
        last = make_picture_part(draw(work), thought=True)
        words = {"text": "The guests need hats.", "thought": True}
        return make_json_answer(build_success(work, words, draft, last, finish=finish))

    return build
