"""Everything the simulated Gemini can answer, as a table."""

from functools import partial

from providers.simulator.gemini import scenario_limits as limits
from providers.simulator.gemini import scenario_packings as packings
from providers.simulator.gemini.answers import make_envelope
from providers.simulator.gemini.scenario import ERROR_S as ERROR_S
from providers.simulator.gemini.scenario import QUICK_S, SLOW_S, once
from providers.simulator.gemini.scenario import Scenario as Scenario
from providers.simulator.gemini.scenario_answers import (
    BAD_GATEWAY,
    BUSY,
    DEADLINE,
    INTERNAL,
    LEAKED,
    LOGIN_PAGE,
    NO_BILLING,
    NO_CREDENTIALS,
    NO_LOCATION,
    OPENING,
    UNSAFE,
    answer_bad_base64,
    answer_big_picture,
    answer_blocked_prompt,
    answer_empty_content,
    answer_ending,
    answer_error,
    answer_error_list,
    answer_finish,
    answer_gzip_bomb,
    answer_half,
    answer_html_picture,
    answer_in_format,
    answer_invalid_key,
    answer_null_content,
    answer_ok,
    answer_other_inner_code,
    answer_parts,
    answer_quota_per_day,
    answer_quota_per_minute,
    answer_quota_zero,
    answer_quoting_prompt,
    answer_raw,
    answer_redirect,
    answer_retired,
    answer_snake_case,
    answer_text_only,
    answer_thoughts,
    answer_too_large,
    answer_truncated_picture,
    answer_two_pictures,
    answer_unknown_field,
    answer_unknown_finish,
    answer_unpadded_base64,
    answer_urlsafe_base64,
)
from providers.simulator.gemini.scenario_faces import FACE_SCENARIOS
from providers.simulator.wire import Ending, make_json_answer

SCENARIOS: dict[str, Scenario] = {
    "ok": Scenario("the photo, visibly altered, as JPEG", answer_ok),
    "ok-thoughts": Scenario(
        "thought text and thought picture first, then the answer", answer_thoughts
    ),
    "ok-two-images": Scenario("two pictures, the last one is the answer", answer_two_pictures),
    "ok-jpeg-declared-png": Scenario(
        "JPEG bytes declared image/png", partial(answer_in_format, "JPEG", "image/png")
    ),
    "ok-urlsafe-base64": Scenario("base64 with - and _", answer_urlsafe_base64),
    "ok-unpadded-base64": Scenario("base64 without its padding", answer_unpadded_base64),
    "ok-png": Scenario("a PNG", partial(answer_in_format, "PNG", "image/png")),
    "ok-webp": Scenario("a WEBP", partial(answer_in_format, "WEBP", "image/webp")),
    "ok-credentials": Scenario(
        "a JPEG with content credentials", packings.answer_with_credentials("JPEG")
    ),
    "ok-credentials-png": Scenario(
        "a PNG with content credentials", packings.answer_with_credentials("PNG")
    ),
    "ok-credentials-webp": Scenario(
        "a WEBP with content credentials", packings.answer_with_credentials("WEBP")
    ),
    "ok-snake": Scenario("the whole answer in snake_case", answer_snake_case),
    "ok-lines": Scenario(
        "base64 in lines of 76 signs", packings.answer_base64(packings.break_lines)
    ),
    "ok-blanks": Scenario(
        "base64 in pieces", packings.answer_base64(packings.break_lines_with_blanks)
    ),
    "ok-data-uri": Scenario(
        "base64 behind data:image/jpeg;base64,", packings.answer_base64(packings.make_data_uri)
    ),
    "ok-percent": Scenario(
        "base64 with %2B and %2F", packings.answer_base64(packings.percent_encode)
    ),
    "ok-mark": Scenario("a byte order mark first", packings.answer_body(packings.add_mark)),
    "ok-list": Scenario("the answer in a list", packings.answer_body(packings.wrap_list)),
    "ok-event": Scenario(
        "the answer as an event of a stream", packings.answer_body(packings.make_event)
    ),
    "ok-warning": Scenario(
        "a gateway's warning before the answer", packings.answer_body(packings.add_warning)
    ),
    "ok-raw-lines": Scenario(
        "raw line breaks in the text", packings.answer_body(packings.break_raw_lines)
    ),
    "ok-utf16": Scenario("UTF-16", packings.answer_body(packings.to_utf16)),
    "ok-gzip": Scenario(
        "gzip though none was asked for",
        packings.answer_body(packings.pack_gzip, content_encoding="gzip"),
    ),
    "ok-gzip-unnamed": Scenario("gzip without a word", packings.answer_body(packings.pack_gzip)),
    "ok-deflate": Scenario(
        "deflate without its header",
        packings.answer_body(packings.pack_raw_deflate, content_encoding="deflate"),
    ),
    "cut-after-picture": Scenario(
        "the connection is cut, the picture came whole", packings.answer_cut_after_picture
    ),
    "203": Scenario("status 203 of a proxy", packings.answer_with_status(203)),
    "ok-markdown": Scenario("the picture inside of a text", packings.answer_markdown),
    "ok-half-snake": Scenario("both spellings in one answer", packings.answer_half_snake),
    "ok-parts-object": Scenario("one part where a list is due", packings.answer_parts_as_object),
    "ok-safety": Scenario("a whole picture and SAFETY", packings.answer_good_with("SAFETY")),
    "ok-broken-last": Scenario("two pictures, the last one broken", packings.answer_broken_last),
    "safety-half": Scenario(
        "half of a picture and IMAGE_SAFETY", packings.answer_half_with("IMAGE_SAFETY")
    ),
    "thought-only": Scenario("STOP, all pictures are thoughts", packings.answer_thought_only()),
    "thoughts-cut": Scenario(
        "MAX_TOKENS within the thoughts", packings.answer_thought_only("MAX_TOKENS")
    ),
    "tier-downgraded": Scenario(
        "served as standard whatever was asked", answer_ok, downgrades=True
    ),
    "big-picture": Scenario("4096x4096 pixels", answer_big_picture),
    **FACE_SCENARIOS,
    "slow": Scenario("ok after 70 s, or as many as said: slow=5", answer_ok, seconds=SLOW_S),
    "text-only": Scenario("STOP with words and no picture", answer_text_only),
    "no-image": Scenario(
        "NO_IMAGE without content, quickly", answer_finish("NO_IMAGE"), at_most=QUICK_S
    ),
    "no-image-then-ok": Scenario(
        "NO_IMAGE once (or =N times), then ok", answer_finish("NO_IMAGE"), at_most=QUICK_S, fails=1
    ),
    "image-other": Scenario("finishReason IMAGE_OTHER", answer_finish("IMAGE_OTHER")),
    "other": Scenario("finishReason OTHER", answer_finish("OTHER")),
    "empty-parts": Scenario("STOP with an empty list of parts", answer_parts()),
    "empty-content": Scenario("STOP with content {}", answer_empty_content),
    "null-content": Scenario("NO_IMAGE with content null", answer_null_content, at_most=QUICK_S),
    "no-candidates": Scenario(
        "an empty list of candidates",
        lambda work: make_json_answer(make_envelope(work, candidates=[])),
    ),
    "empty-object": Scenario("the answer {}", lambda work: make_json_answer({})),
    "img-safety": Scenario("IMAGE_SAFETY with a message", answer_finish("IMAGE_SAFETY", UNSAFE)),
    "img-prohibited": Scenario(
        "IMAGE_PROHIBITED_CONTENT", answer_finish("IMAGE_PROHIBITED_CONTENT", UNSAFE)
    ),
    "prohibited": Scenario("PROHIBITED_CONTENT", answer_finish("PROHIBITED_CONTENT")),
    "safety": Scenario("SAFETY", answer_finish("SAFETY")),
    "spii": Scenario("SPII", answer_finish("SPII")),
    "blocklist": Scenario("BLOCKLIST", answer_finish("BLOCKLIST")),
    "language": Scenario("LANGUAGE", answer_finish("LANGUAGE")),
    "prompt-blocked": Scenario("promptFeedback and no candidates", answer_blocked_prompt),
    "recitation": Scenario("IMAGE_RECITATION each time", answer_finish("IMAGE_RECITATION")),
    "recitation-then-ok": Scenario(
        "IMAGE_RECITATION once (or =N times), then ok", answer_finish("IMAGE_RECITATION"), fails=1
    ),
    "unknown-finish": Scenario("an unknown finishReason with a picture", answer_unknown_finish),
    "malformed": Scenario("MALFORMED_RESPONSE", answer_finish("MALFORMED_RESPONSE")),
    "max-tokens": Scenario(
        "MAX_TOKENS after some text", answer_parts({"text": "I will now"}, finish="MAX_TOKENS")
    ),
    "bad-base64": Scenario("data that is not base64", answer_bad_base64),
    "truncated-image": Scenario("half of a JPEG", answer_truncated_picture),
    "html-image": Scenario("an HTML page as inlineData", answer_html_picture),
    "html-200": Scenario("an HTML page with status 200", answer_raw(200, LOGIN_PAGE)),
    "empty-200": Scenario("status 200 without a body", answer_raw(200, b"", "application/json")),
    "400": Scenario("INVALID_ARGUMENT", answer_error(400, "INVALID_ARGUMENT", "Invalid argument.")),
    "400-quoting": Scenario("INVALID_ARGUMENT that quotes the prompt", answer_quoting_prompt),
    "400-key": Scenario("API_KEY_INVALID", answer_invalid_key),
    "400-location": Scenario(
        "country not served", answer_error(400, "FAILED_PRECONDITION", NO_LOCATION)
    ),
    "400-billing": Scenario("billing is off", answer_error(400, "FAILED_PRECONDITION", NO_BILLING)),
    "400-unknown-field": Scenario("Unknown name", answer_unknown_field),
    "401": Scenario("UNAUTHENTICATED", answer_error(401, "UNAUTHENTICATED", NO_CREDENTIALS)),
    "402": Scenario(
        "prepaid balance is empty", answer_error(402, "payment_required", "No credit left.")
    ),
    "403": Scenario(
        "PERMISSION_DENIED, a leaked key", answer_error(403, "PERMISSION_DENIED", LEAKED)
    ),
    "404-retired": Scenario("the model is retired", lambda work: answer_retired(work.model)),
    "408": Scenario("timeout of the front end, HTML", answer_raw(408, b"<html>408</html>")),
    "409": Scenario("ABORTED", answer_error(409, "ABORTED", "The operation was aborted.")),
    "413": Scenario("body too large, HTML", lambda work: answer_too_large()),
    "429-retry": Scenario(
        "quota per minute with RetryInfo of 33 s, or =N", partial(answer_quota_per_minute, 33)
    ),
    "429-short": Scenario(
        "429 with a retryDelay of 0.5 s once, then ok",
        partial(answer_quota_per_minute, 0.5),
        fails=1,
        number_is_delay=True,
    ),
    "429-bare": Scenario("429 without details: shared capacity", limits.answer_limit()),
    "429-bare-then-ok": Scenario(
        "the same once (or =N times), then ok", limits.answer_limit(), fails=1
    ),
    "429-retry-after": once(
        "Retry-After in seconds", limits.answer_limit(lambda s: {"retry-after": f"{s:g}"})
    ),
    "429-retry-date": once("Retry-After as a date", limits.answer_limit(limits.hint_date)),
    "429-retry-ms": once(
        "retry-after-ms", limits.answer_limit(lambda s: {"retry-after-ms": f"{s * 1000:g}"})
    ),
    "429-two-hints": once(
        "Retry-After of a gateway beside a shorter RetryInfo",
        limits.answer_limit(
            lambda s: {"retry-after": f"{s:g}"},
            make_details=lambda s: limits.make_retry_info("0.1s"),
        ),
    ),
    "429-in-words": once("in words", limits.answer_limit(message="Please retry in {ms}ms.")),
    "429-as-object": once(
        "retryDelay as an object", limits.answer_limit(make_details=limits.hint_object)
    ),
    "429-in-list": once("wrapped in a list", limits.answer_limit_in_list),
    "429-reset": once("x-ratelimit-reset", limits.answer_limit(limits.hint_reset)),
    "429-gateway": once("a gateway's own body", limits.answer_limit_of_gateway),
    "429-quoted": once("a gateway quotes the service", limits.answer_quoted_limit),
    "429-hostile-hint": Scenario(
        "delays that are none, once (or =N times), then ok",
        limits.answer_limit(
            lambda s: {"retry-after": "-1e99"},
            make_details=lambda s: limits.make_retry_info("1e99s"),
        ),
        fails=1,
    ),
    "429-monthly": Scenario("quota per month", limits.answer_limit(message=limits.PER_MONTH)),
    "429-spend-cap": Scenario(
        "the project's spending cap", limits.answer_limit(message=limits.SPEND_CAP)
    ),
    "429-prepaid": Scenario(
        "prepaid credits are used up", limits.answer_limit(message=limits.PREPAID)
    ),
    "200-error": Scenario("a 429 inside of a 200", limits.answer_error_in_200),
    "429-daily": Scenario("quota per day, without RetryInfo", answer_quota_per_day),
    "429-limit-0": Scenario("a model outside the free tier", answer_quota_zero),
    "400-page": Scenario("400, a proxy's page", limits.answer_page(400)),
    "400-unavailable": Scenario(
        "400 over UNAVAILABLE once (or =N times), then ok",
        answer_error(400, "UNAVAILABLE", "The model is overloaded."),
        fails=1,
    ),
    "403-page": Scenario("403, a proxy's page", limits.answer_page(403)),
    "403-exhausted": Scenario(
        "403 over RESOURCE_EXHAUSTED", answer_error(403, "RESOURCE_EXHAUSTED", limits.EXHAUSTED)
    ),
    "404-page": Scenario("404, another server's page", limits.answer_page(404)),
    "405": Scenario("method not allowed, a page", limits.answer_page(405)),
    "407": Scenario("a proxy wants a password", limits.answer_page(407)),
    "410": Scenario("gone", answer_error(410, "NOT_FOUND", "This model is gone.")),
    "415": Scenario("the photo's type is refused", answer_error(415, "INVALID_ARGUMENT", "No.")),
    "421": Scenario("misdirected request, a page", limits.answer_page(421)),
    "422": Scenario("the request is refused", answer_error(422, "INVALID_ARGUMENT", "No.")),
    "425": Scenario("too early once (or =N times), then ok", limits.answer_page(425), fails=1),
    "451": Scenario("unavailable for legal reasons, a page", limits.answer_page(451)),
    "408-then-ok": Scenario("408 once (or =N times), then ok", limits.answer_page(408), fails=1),
    "499-then-ok": Scenario(
        "CANCELLED once (or =N times), then ok",
        answer_error(499, "CANCELLED", "The operation was cancelled."),
        fails=1,
    ),
    "499": Scenario("CANCELLED", answer_error(499, "CANCELLED", "The operation was cancelled.")),
    "500": Scenario("INTERNAL", answer_error(500, "INTERNAL", INTERNAL)),
    "500-inner-400": Scenario("status 500, code 400 inside", answer_other_inner_code),
    "503": Scenario("UNAVAILABLE, overloaded", BUSY),
    "503-then-ok": Scenario("UNAVAILABLE once (or =N times), then ok", BUSY, fails=1),
    "504": Scenario("DEADLINE_EXCEEDED", answer_error(504, "DEADLINE_EXCEEDED", DEADLINE)),
    "err-list": Scenario("a 503 wrapped in a list", answer_error_list),
    "html-502": Scenario("an HTML page with status 502", answer_raw(502, BAD_GATEWAY)),
    "empty-500": Scenario("status 500 without a body", answer_raw(500, b"")),
    "drop-connection": Scenario("the connection is cut, no answer", answer_ending(Ending.NOTHING)),
    "half-answer": Scenario("the connection is cut in the middle of the body", answer_half),
    "redirect": Scenario("302 to another address", answer_redirect),
    "huge-answer": Scenario("48 MB, length declared", answer_ending(Ending.FLOOD, OPENING)),
    "huge-stream": Scenario("48 MB, length not declared", answer_ending(Ending.ENDLESS, OPENING)),
    "gzip-bomb": Scenario("64 MB of blanks in a small gzip", answer_gzip_bomb),
}
