"""Everything the simulated Turbotext can answer; the table is at the end of this file."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from providers.simulator.turbotext.answers import (
    DOCUMENTED_SAMPLE,
    Work,
    answer_as_documented,
    answer_failure,
    answer_reconnect,
    build_download_url,
    build_image_path,
    build_image_url,
    build_success,
)
from providers.simulator.turbotext.contract import HTML, make_answer
from providers.simulator.wire import Answer, Ending

Build = Callable[[Work], Answer]
SLOW_S = 70.0
FOREVER = math.inf
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_LOGIN_PAGE = "<!doctype html><html><title>Вход</title><body>Войдите в личный кабинет</body></html>"
_NOT_FOUND = "<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
_EXPIRED = "<!doctype html><html><title>Turbotext</title><body>Ссылка устарела</body></html>"
_WARNING = b"<br />\n<b>Warning</b>: Undefined index in photo.php on line 7<br />\n"
_LIMITS = {"foto_limit": 123, "text_limit": 123}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Where a job leaves the good path: at its creation, its polls, its result or the download.

    ``create`` answers create_queue instead of the queue id, ``refuses`` times for each text before
    it passes; ``creates`` says whether the job is made, and paid, all the same. The first ``polls``
    polls are answered by ``poll`` and the first ``downloads`` downloads by ``download``; a marker's
    number replaces those counts. ``slow`` names the phase that takes 70 s, or as many as the marker
    says.
    """

    description: str
    create: Build | None = None
    creates: bool = False
    refuses: float = FOREVER
    poll: Build = answer_reconnect
    polls: float = 0
    result: Build = answer_as_documented
    download: Build | None = None
    downloads: float = FOREVER
    slow: str = ""


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


def answer_oversize(work: Work) -> Answer:
    return Answer(body=_PNG_HEAD, content_type="image/png", ending=Ending.FLOOD)


LIMIT = {"foto_limit": 0, "text_limit": 123}
INTERNAL = answer_refuses(500, "Внутренняя ошибка сервера")
BUSY = answer_refuses(503, "Сервис перегружен, попробуйте позже")
NO_FACE = "face_not_detected: лицо на фото не найдено"

SCENARIOS: dict[str, Scenario] = {
    "ok": Scenario("the photo, visibly altered, in the shape of its method"),
    "ok-uploaded-top": Scenario("uploaded_image at the top", result=answer_uploaded_top),
    "ok-data-uploaded": Scenario("uploaded_image inside data", result=answer_uploaded_in_data),
    "ok-image-relative": Scenario("data.image holds a relative path", result=answer_image_relative),
    "ok-image-absolute": Scenario("data.image holds a whole address", result=answer_image_absolute),
    "ok-success-string": Scenario('success is the text "true"', result=answer_success_string),
    "ok-with-limits": Scenario("the attempts left are told too", result=answer_with_limits),
    "reconnect": Scenario("reconnect at 3 polls, or =N, then ok", polls=3),
    "reconnect-forever": Scenario("reconnect at every poll", polls=FOREVER),
    "success-no-image": Scenario("success, and no picture anywhere", result=answer_no_image),
    "success-false-text": Scenario(
        "success is false, with a text of no known kind",
        result=answer_fails("Не удалось обработать изображение"),
    ),
    "forbidden": Scenario("forbidden_content is true, no picture", result=answer_forbidden),
    "invalid-json": Scenario(
        "the documents' own broken sample", result=answer_page(DOCUMENTED_SAMPLE)
    ),
    "html-login-200": Scenario("a login page for create_queue", create=answer_page(_LOGIN_PAGE)),
    "401": Scenario("the key is wrong", create=answer_refuses(401, "Неверный ключ API")),
    "403": Scenario(
        "the tariff lacks the API",
        create=answer_refuses(403, "Доступ к API есть только на тарифе VIP"),
    ),
    "404": Scenario("the method does not exist, HTML", create=answer_page(_NOT_FOUND, 404)),
    "429": Scenario("too many requests, Retry-After 30 or =N", create=partial(answer_too_many, 30)),
    "429-then-ok": Scenario(
        "too many requests once, Retry-After 0.5 or =N, then ok",
        create=partial(answer_too_many, 0.5),
        refuses=1,
    ),
    "busy-then-ok": Scenario(
        "too many requests in words, once, then ok", create=answer_busy_in_words, refuses=1
    ),
    "429-one-poll": Scenario(
        "one poll is too many, or =N", poll=partial(answer_too_many, 0.5), polls=1
    ),
    "499": Scenario("CANCELLED by a gateway", create=answer_page("499", 499)),
    "400-page": Scenario("a proxy's page", create=answer_page(_NOT_FOUND, 400)),
    "ok-warning": Scenario("PHP warns before the result", result=answer_after(_WARNING)),
    "ok-mark": Scenario("a byte order mark first", result=answer_after(b"\xef\xbb\xbf")),
    "ok-list": Scenario("the result in a list", result=answer_after(b"[", b"]")),
    "ok-cp1251": Scenario("a Russian word in windows-1251", result=answer_in_cp1251),
    "limit": Scenario(
        "attempts used up, at create_queue", create=answer_fails("LIMIT", limits=LIMIT)
    ),
    "limit-at-result": Scenario(
        "attempts used up, at get_result", result=answer_fails("LIMIT", limits=LIMIT)
    ),
    "no-face": Scenario("no face on the photo", result=answer_fails(NO_FACE)),
    "url-error": Scenario(
        "said to be unable to load the link", result=answer_fails("url_error: HTTP 404")
    ),
    "500-create": Scenario("status 500 for create_queue", create=INTERNAL),
    "503-create": Scenario("status 503 for create_queue", create=BUSY),
    "500-one-poll": Scenario("status 500 at one poll, or =N", poll=INTERNAL, polls=1),
    "500-all-polls": Scenario("status 500 at every poll", poll=INTERNAL, polls=FOREVER),
    "html-poll": Scenario(
        "a login page at every poll, or at =N", poll=answer_page(_LOGIN_PAGE), polls=FOREVER
    ),
    "drop-connection": Scenario(
        "create_queue is cut off, the job runs and is paid", create=answer_cut, creates=True
    ),
    "drop-poll": Scenario("one poll is cut off, or =N", poll=answer_cut, polls=1),
    "slow-create": Scenario("create_queue takes 70 s, or =N", slow="create"),
    "no-queueid": Scenario(
        "success without a queueid", create=lambda work: make_answer({"success": True})
    ),
    "result-404-then-ok": Scenario(
        "the download is a 404 once, or =N times",
        download=answer_page(_NOT_FOUND, 404),
        downloads=1,
    ),
    "result-429-then-ok": Scenario(
        "the download is refused for a limit once, or =N times",
        download=answer_page(_NOT_FOUND, 429),
        downloads=1,
    ),
    "ok-no-success": Scenario("a picture, and no word on success", result=answer_without_success),
    "ok-escaped": Scenario("the address is written for HTML", result=answer_escaped),
    "result-410": Scenario("the download is gone", download=answer_page(_EXPIRED, 410)),
    "result-html": Scenario("the download is an HTML page", download=answer_page(_EXPIRED)),
    "result-evil-host": Scenario(
        "the result is elsewhere", result=answer_at("https://evil.example")
    ),
    "result-private-ip": Scenario(
        "the result is in a private net", result=answer_at("http://10.0.0.1")
    ),
    "result-redirect": Scenario("the download redirects to the picture", download=redirect),
    "result-oversize": Scenario("the download has 48 MB", download=answer_oversize),
    "result-slow": Scenario("the download takes 70 s, or =N", slow="download"),
}
