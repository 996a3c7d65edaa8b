"""Everything the simulated Turbotext can answer, as one table at the end of this file."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.simulator.turbotext.answers import (
    DOCUMENTED_SAMPLE,
    Work,
    documented,
    download_url,
    failure,
    image_path,
    image_url,
    reconnect,
    success,
)
from providers.simulator.turbotext.contract import HTML, said
from providers.simulator.wire import Answer, Ending

Build = Callable[[Work], Answer]
SLOW_S = 70.0
FOREVER = math.inf
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_LOGIN_PAGE = "<!doctype html><html><title>Вход</title><body>Войдите в личный кабинет</body></html>"
_NOT_FOUND = "<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
_EXPIRED = "<!doctype html><html><title>Turbotext</title><body>Ссылка устарела</body></html>"
_LIMITS = {"foto_limit": 123, "text_limit": 123}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Where a job leaves the good path: at its creation, its polls, its result or the download.

    ``create`` answers create_queue instead of the queue id; ``creates`` says whether the job is
    made, and paid, all the same. The first ``polls`` polls are answered by ``poll`` and the first
    ``downloads`` downloads by ``download``; a marker's number replaces those counts. ``slow``
    names the phase that takes 70 s, or as many as the marker says.
    """

    description: str
    create: Build | None = None
    creates: bool = False
    poll: Build = reconnect
    polls: float = 0
    result: Build = documented
    download: Build | None = None
    downloads: float = FOREVER
    slow: str = ""


def fails(error: str, **more: Any) -> Build:
    return lambda work: failure(error, **more)


def refuses(status: int, error: str) -> Build:
    return lambda work: said({"success": False, "error": error}, status)


def page(text: str, status: int = 200) -> Build:
    return lambda work: Answer(status=status, body=text.encode(), content_type=HTML)


def cut(work: Work) -> Answer:
    return Answer(ending=Ending.NOTHING)


def too_many(work: Work) -> Answer:
    seconds = 30 if work.number is None else work.number
    error = {"success": False, "error": "Слишком много запросов"}
    return said(error, 429, headers=(("retry-after", f"{seconds:g}"),))


def uploaded_top(work: Work) -> Answer:
    return said(success(work, uploaded_image=download_url(work)))


def uploaded_in_data(work: Work) -> Answer:
    return said(success(work, {"uploaded_image": download_url(work)}))


def image_relative(work: Work) -> Answer:
    return said(success(work, {"image": [image_path(work)]}))


def image_absolute(work: Work) -> Answer:
    return said(success(work, {"image": [image_url(work)]}))


def success_string(work: Work) -> Answer:
    return said(success(work, uploaded_image=download_url(work)) | {"success": "true"})


def with_limits(work: Work) -> Answer:
    return said(success(work, uploaded_image=download_url(work), limits=_LIMITS))


def at(origin: str) -> Build:
    return lambda work: said(success(work, uploaded_image=download_url(work, origin)))


def no_image(work: Work) -> Answer:
    return said(success(work, {"image": []}, uploaded_image=""))


def forbidden(work: Work) -> Answer:
    return said(success(work, {"image": [], "forbidden_content": True}))


def redirect(work: Work) -> Answer:
    """To the very picture: a client that follows it gets a success, and is found out."""
    return Answer(
        status=302, headers=(("location", f"{image_url(work)}?moved=1"),), content_type=HTML
    )


def oversize(work: Work) -> Answer:
    return Answer(body=_PNG_HEAD, content_type="image/png", ending=Ending.FLOOD)


LIMIT = {"foto_limit": 0, "text_limit": 123}
INTERNAL = refuses(500, "Внутренняя ошибка сервера")
BUSY = refuses(503, "Сервис перегружен, попробуйте позже")
NO_FACE = "face_not_detected: лицо на фото не найдено"

SCENARIOS: dict[str, Scenario] = {
    "ok": Scenario("the photo, visibly altered, in the shape of its method"),
    "ok-uploaded-top": Scenario("uploaded_image at the top", result=uploaded_top),
    "ok-data-uploaded": Scenario("uploaded_image inside data", result=uploaded_in_data),
    "ok-image-relative": Scenario("data.image holds a relative path", result=image_relative),
    "ok-image-absolute": Scenario("data.image holds a whole address", result=image_absolute),
    "ok-success-string": Scenario('success is the text "true"', result=success_string),
    "ok-with-limits": Scenario("the attempts left are told too", result=with_limits),
    "reconnect": Scenario("reconnect at 3 polls, or =N, then ok", polls=3),
    "reconnect-forever": Scenario("reconnect at every poll", polls=FOREVER),
    "success-no-image": Scenario("success, and no picture anywhere", result=no_image),
    "success-false-text": Scenario(
        "success is false, with a text of no known kind",
        result=fails("Не удалось обработать изображение"),
    ),
    "forbidden": Scenario("forbidden_content is true, no picture", result=forbidden),
    "invalid-json": Scenario("the documents' own broken sample", result=page(DOCUMENTED_SAMPLE)),
    "html-login-200": Scenario("a login page for create_queue", create=page(_LOGIN_PAGE)),
    "401": Scenario("the key is wrong", create=refuses(401, "Неверный ключ API")),
    "403": Scenario(
        "the tariff lacks the API", create=refuses(403, "Доступ к API есть только на тарифе VIP")
    ),
    "404": Scenario("the method does not exist, HTML", create=page(_NOT_FOUND, 404)),
    "429": Scenario("too many requests, Retry-After 30 or =N", create=too_many),
    "limit": Scenario("attempts used up, at create_queue", create=fails("LIMIT", limits=LIMIT)),
    "limit-at-result": Scenario(
        "attempts used up, at get_result", result=fails("LIMIT", limits=LIMIT)
    ),
    "no-face": Scenario("no face on the photo", result=fails(NO_FACE)),
    "url-error": Scenario(
        "said to be unable to load the link", result=fails("url_error: HTTP 404")
    ),
    "500-create": Scenario("status 500 for create_queue", create=INTERNAL),
    "503-create": Scenario("status 503 for create_queue", create=BUSY),
    "500-one-poll": Scenario("status 500 at one poll, or =N", poll=INTERNAL, polls=1),
    "500-all-polls": Scenario("status 500 at every poll", poll=INTERNAL, polls=FOREVER),
    "html-poll": Scenario(
        "a login page at every poll, or at =N", poll=page(_LOGIN_PAGE), polls=FOREVER
    ),
    "drop-connection": Scenario(
        "create_queue is cut off, the job runs and is paid", create=cut, creates=True
    ),
    "drop-poll": Scenario("one poll is cut off, or =N", poll=cut, polls=1),
    "slow-create": Scenario("create_queue takes 70 s, or =N", slow="create"),
    "no-queueid": Scenario(
        "success without a queueid", create=lambda work: said({"success": True})
    ),
    "result-404-then-ok": Scenario(
        "the download is a 404 once, or =N times", download=page(_NOT_FOUND, 404), downloads=1
    ),
    "result-410": Scenario("the download is gone", download=page(_EXPIRED, 410)),
    "result-html": Scenario("the download is an HTML page", download=page(_EXPIRED)),
    "result-evil-host": Scenario("the result is elsewhere", result=at("https://evil.example")),
    "result-private-ip": Scenario("the result is in a private net", result=at("http://10.0.0.1")),
    "result-redirect": Scenario("the download redirects to the picture", download=redirect),
    "result-oversize": Scenario("the download has 48 MB", download=oversize),
    "result-slow": Scenario("the download takes 70 s, or =N", slow="download"),
}
