"""Everything the simulated Turbotext can answer; the table is at the end of this file."""

import math
from dataclasses import dataclass
from functools import partial

from providers.simulator.turbotext.answers import answer_as_documented, answer_reconnect
from providers.simulator.turbotext.contract import make_answer
from providers.simulator.turbotext.scenario_answers import (
    Build,
    answer_after,
    answer_at,
    answer_broken_sample,
    answer_busy_in_words,
    answer_cut,
    answer_escaped,
    answer_fails,
    answer_forbidden,
    answer_image_absolute,
    answer_image_relative,
    answer_in_cp1251,
    answer_in_objects,
    answer_in_python,
    answer_no_image,
    answer_odd_number,
    answer_oversize,
    answer_page,
    answer_refuses,
    answer_success_string,
    answer_too_many,
    answer_uploaded_in_data,
    answer_uploaded_top,
    answer_with_limits,
    answer_without_success,
    redirect,
    redirect_to,
)

SLOW_S = 70.0
FOREVER = math.inf
_LOGIN_PAGE = "<!doctype html><html><title>Вход</title><body>Войдите в личный кабинет</body></html>"
_NOT_FOUND = "<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
_EXPIRED = "<!doctype html><html><title>Turbotext</title><body>Ссылка устарела</body></html>"
_WARNING = b"<br />\n<b>Warning</b>: Undefined index in photo.php on line 7<br />\n"


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
        "the documents' own broken sample, for this picture", result=answer_broken_sample
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
    "ok-python": Scenario("the result in Python's quotes", result=answer_in_python),
    "ok-objects": Scenario("the result in an object in lists", result=answer_in_objects),
    "ok-queue-id": Scenario(
        "the number as queue_id and 7.0", create=answer_odd_number, creates=True
    ),
    "ok-cp1251": Scenario("a Russian word in windows-1251", result=answer_in_cp1251),
    "limit": Scenario(
        "attempts used up, at create_queue", create=answer_fails("LIMIT", limits=LIMIT)
    ),
    "money-in-message": Scenario(
        "no money, told as message, at create_queue",
        create=lambda work: make_answer({"success": False, "message": "Недостаточно средств"}),
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
    "404-one-poll": Scenario(
        "one poll is a 404 page, or =N", poll=answer_page(_NOT_FOUND, 404), polls=1
    ),
    "empty-one-poll": Scenario(
        "one poll is an empty object, or =N", poll=lambda work: make_answer({}), polls=1
    ),
    "wait-in-words": Scenario(
        "5 polls, or =N, say in words to wait",
        poll=answer_fails("Задание в обработке, попробуйте позже"),
        polls=5,
    ),
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
    "result-redirect-away": Scenario(
        "the download redirects elsewhere", download=redirect_to("https://evil.example/a.png")
    ),
    "result-redirect-round": Scenario(
        "the download redirects in a circle", download=redirect_to("?f={name}")
    ),
    "result-oversize": Scenario("the download has 48 MB", download=answer_oversize),
    "result-slow": Scenario("the download takes 70 s, or =N", slow="download"),
}
