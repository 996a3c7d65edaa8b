"""The product as it is, in a process that trusts the benchmark's own provider besides."""

import os

import httpx

if authority := os.environ.get("BENCH_PROVIDER_CA"):
    make_context = httpx.create_ssl_context

    def make_trusting_context(*arguments: object, **more: object) -> object:
        context = make_context(*arguments, **more)  # type: ignore[arg-type]
        context.load_verify_locations(authority)
        return context

    httpx.create_ssl_context = make_trusting_context  # type: ignore[assignment]

from photochanger.asgi import application as application  # noqa: E402
