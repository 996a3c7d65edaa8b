"""What the scenarios answer where they leave the good path."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from providers.simulator.turbotext.answers import (
    DOCUMENTED_ADDRESS,
    DOCUMENTED_SAMPLE,
    Work,
    answer_as_documented,
    answer_failure,
    build_download_url,
    build_image_path,
    build_image_url,
    build_success,
)
from providers.simulator.turbotext.contract import HTML, make_answer
from providers.simulator.wire import Answer, Ending

Build = Callable[[Work], Answer]
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_LIMITS = {"foto_limit": 123, "text_limit": 123}


def answer_fails(error: str, **more: Any) -> Build:
    return lambda work: answer_failure(error, **more)


def answer_refuses(status: int, error: str) -> Build:
    return lambda work: make_answer({"success": False, "error": error}, status)


def answer_page(text: str, status: int = 200) -> Build:
    return lambda work: Answer(status=status, body=text.encode(), content_type=HTML)


def answer_cut(work: Work) -> Answer:
    return Answer(ending=Ending.NOTHING)


def answer_too_many(usual_s: float, work: Work) -> Answer:
    seconds = usual_s if work.number is None else work.number
    error = {"success": False, "error": "Слишком много запросов"}
    return make_answer(error, 429, headers=(("retry-after", f"{seconds:g}"),))


def answer_busy_in_words(work: Work) -> Answer:
    seconds = 0.5 if work.number is None else work.number
    return answer_failure(f"Слишком много запросов, повторите через {seconds:g} сек")


def answer_after(before: bytes, after: bytes = b"") -> Build:
    """The documented result, with something around it."""

    def build(work: Work) -> Answer:
        return replace(
            answer_as_documented(work), body=before + answer_as_documented(work).body + after
        )

    return build


def answer_broken_sample(work: Work) -> Answer:
    sample = DOCUMENTED_SAMPLE.replace(DOCUMENTED_ADDRESS, build_download_url(work))
    return Answer(body=sample.encode())


def answer_in_python(work: Work) -> Answer:
    body = build_success(work, uploaded_image=build_download_url(work))
    return Answer(body=repr(body).encode())


def answer_in_objects(work: Work) -> Answer:
    return make_answer({"success": True, "data": [{"image": [{"url": build_image_url(work)}]}]})


def answer_odd_number(work: Work) -> Answer:
    return make_answer({"success": True, "data": [{"queue_id": float(work.asked.queueid)}]})


def answer_in_cp1251(work: Work) -> Answer:
    body = answer_as_documented(work).body.decode()
    return Answer(body=body.replace('"error":""', '"error":"Готово"').encode("cp1251"))


def answer_without_success(work: Work) -> Answer:
    body = build_success(work, uploaded_image=build_download_url(work))
    return make_answer({key: value for key, value in body.items() if key != "success"})


def answer_escaped(work: Work) -> Answer:
    url = build_download_url(work).replace("?f=", "?a=1&amp;f=")
    return make_answer(build_success(work, uploaded_image=url))


def answer_uploaded_top(work: Work) -> Answer:
    return make_answer(build_success(work, uploaded_image=build_download_url(work)))


def answer_uploaded_in_data(work: Work) -> Answer:
    return make_answer(build_success(work, {"uploaded_image": build_download_url(work)}))


def answer_image_relative(work: Work) -> Answer:
    return make_answer(build_success(work, {"image": [build_image_path(work)]}))


def answer_image_absolute(work: Work) -> Answer:
    return make_answer(build_success(work, {"image": [build_image_url(work)]}))


def answer_success_string(work: Work) -> Answer:
    return make_answer(
        build_success(work, uploaded_image=build_download_url(work)) | {"success": "true"}
    )


def answer_with_limits(work: Work) -> Answer:
    return make_answer(build_success(work, uploaded_image=build_download_url(work), limits=_LIMITS))


def answer_at(origin: str) -> Build:
    return lambda work: make_answer(
        build_success(work, uploaded_image=build_download_url(work, origin))
    )


def answer_no_image(work: Work) -> Answer:
    return make_answer(build_success(work, {"image": []}, uploaded_image=""))


def answer_forbidden(work: Work) -> Answer:
    return make_answer(build_success(work, {"image": [], "forbidden_content": True}))


def redirect(work: Work) -> Answer:
    """To the picture itself: a client that follows it gets it, and its calls show that."""
    return Answer(
        status=302, headers=(("location", f"{build_image_url(work)}?moved=1"),), content_type=HTML
    )


def redirect_to(target: str) -> Build:
    def build(work: Work) -> Answer:
        location = target.format(name=work.asked.picture_name)
        return Answer(status=302, headers=(("location", location),), content_type=HTML)

    return build


def answer_oversize(work: Work) -> Answer:
    return Answer(body=_PNG_HEAD, content_type="image/png", ending=Ending.FLOOD)
