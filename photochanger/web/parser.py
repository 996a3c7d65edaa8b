import re
from typing import Any

import orjson
from django.http import HttpRequest
from ninja.parser import Parser

NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class StrictJsonParser(Parser):
    """Accept only JSON that SQLite and PostgreSQL can store: no NUL, lone surrogate or NaN."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        if request.content_type != "application/json":
            # Any page may send a browser's text/plain here; of this type it has to ask first.
            raise ValueError("not declared as JSON")
        if NUL_IN_JSON.search(request.body):
            raise ValueError("NUL")
        body: dict[str, Any] = orjson.loads(request.body)
        return body
