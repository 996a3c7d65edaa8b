"""Django's test clients, choosing the middleware stack by the path as the server does."""

from typing import Any

from django.test import AsyncClient as DjangoAsyncClient
from django.test import Client as DjangoClient
from django.test import SimpleTestCase
from django.test.client import AsyncClientHandler, ClientHandler

from photochanger.edge.paths import is_machine_path
from photochanger.web.stacks import MachineStack


class _MachineHandler(MachineStack, ClientHandler):
    pass


class _AsyncMachineHandler(MachineStack, AsyncClientHandler):
    pass


class _HandlerByPath(ClientHandler):
    def __init__(self, enforce_csrf_checks: bool) -> None:
        super().__init__(enforce_csrf_checks)
        self._machines = _MachineHandler(enforce_csrf_checks)

    def __call__(self, environ: dict[str, Any]) -> Any:
        is_machine = is_machine_path(environ["PATH_INFO"])
        return self._machines(environ) if is_machine else super().__call__(environ)


class _AsyncHandlerByPath(AsyncClientHandler):
    def __init__(self, enforce_csrf_checks: bool) -> None:
        super().__init__(enforce_csrf_checks)
        self._machines = _AsyncMachineHandler(enforce_csrf_checks)

    async def __call__(self, scope: Any) -> Any:
        is_machine = is_machine_path(scope["path"])
        return await (self._machines(scope) if is_machine else super().__call__(scope))


class Client(DjangoClient):
    def __init__(self, enforce_csrf_checks: bool = False, **options: Any) -> None:
        super().__init__(enforce_csrf_checks, **options)
        self.handler = _HandlerByPath(enforce_csrf_checks)


class AsyncClient(DjangoAsyncClient):
    def __init__(self, enforce_csrf_checks: bool = False, **options: Any) -> None:
        super().__init__(enforce_csrf_checks, **options)
        self.handler = _AsyncHandlerByPath(enforce_csrf_checks)


def use_in_tests() -> None:
    """Every ``TestCase`` gets these as ``self.client`` and ``self.async_client``."""
    SimpleTestCase.client_class, SimpleTestCase.async_client_class = Client, AsyncClient
