"""The free calls about models: one model, or the list in pages, compressed as the service does."""

import gzip
from collections.abc import Collection
from dataclasses import replace

from providers.simulator.gemini.answers import build_error
from providers.simulator.gemini.contract import Refusal
from providers.simulator.gemini.models import MODELS
from providers.simulator.wire import Answer, Exchange, make_json_answer

TUNED_MODELS = ("/v1/tunedModels", "/v1beta/tunedModels")  # none of them makes pictures
DEFAULT_PAGE = 50
MAX_PAGE = 1000


def answer_tuned_models(exchange: Exchange) -> Answer:
    """A project without tuned models; the service leaves an empty list out of its answer."""
    _read_page_size(exchange)
    return compress(exchange, make_json_answer({}))


def answer_model(
    exchange: Exchange, version: str, model: str | None, retired: Collection[str]
) -> Answer:
    live = [name for name in MODELS if name not in retired]
    if model is None:
        return compress(exchange, make_json_answer(_cut_page(exchange, live)))
    if model not in live:
        return answer_unknown_model(model, version)
    return compress(exchange, make_json_answer(_describe_model(model)))


def answer_unknown_model(model: str, version: str) -> Answer:
    message = (
        f"models/{model[:100]} is not found for API version {version}, or is not supported for "
        "generateContent. Call ListModels to see the list of available models and their "
        "supported methods."
    )
    return make_json_answer(build_error(404, "NOT_FOUND", message), 404)


def compress(exchange: Exchange, answer: Answer) -> Answer:
    """As the front end of the service does for all who say that they can read it."""
    if "gzip" not in exchange.headers.get("accept-encoding", ""):
        return answer
    headers = (*answer.headers, ("content-encoding", "gzip"), ("vary", "Accept-Encoding"))
    return replace(answer, body=gzip.compress(answer.body), headers=headers)


def _cut_page(exchange: Exchange, names: list[str]) -> dict[str, object]:
    """The page asked for; its successor's token is the name with which that one begins."""
    size = _read_page_size(exchange)
    token = exchange.query.get("pageToken", [""])[0]
    if token and token not in names:
        raise Refusal("* ListModelsRequest.page_token: invalid page token")
    start = names.index(token) if token else 0
    page: dict[str, object] = {
        "models": [_describe_model(name) for name in names[start : start + size]]
    }
    if start + size < len(names):
        page["nextPageToken"] = names[start + size]
    return page


def _read_page_size(exchange: Exchange) -> int:
    asked = exchange.query.get("pageSize", ["0"])[0]
    if not asked.isascii() or not asked.isdigit():
        raise Refusal(f"Invalid value at 'page_size' (TYPE_INT32), \"{asked[:40]}\"")
    return min(int(asked), MAX_PAGE) or DEFAULT_PAGE


def _describe_model(name: str) -> dict[str, object]:
    model = MODELS[name]
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": model.title,
        "inputTokenLimit": model.input_tokens,
        "outputTokenLimit": model.output_tokens,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": model.thinks,
    }
