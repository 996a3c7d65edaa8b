"""Two middleware stacks: Django's own for people, a short one for machines and guests.

A booth, a monitor and a guest have no session, no language cookie and no form token; each of
Django's middlewares would cost the photo's path two thread hops.
"""

from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.utils.module_loading import import_string


class MachineStack(BaseHandler):
    """Mixed into one of Django's handlers: ``MACHINE_MIDDLEWARE`` in place of ``MIDDLEWARE``.

    Its entries are asynchronous and have no hooks beside ``__call__``.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        handler: Any = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined]
        for path in reversed(settings.MACHINE_MIDDLEWARE):
            handler = convert_exception_to_response(import_string(path)(handler))
        self._middleware_chain = self.adapt_method_mode(is_async, handler, True)
