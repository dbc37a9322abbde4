"""The page's HTTP server as it is set up: whom it believes about where a request comes from."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import urllib3
import waitress
from flask import Flask, request

from cpor.devstack.ports import LOOPBACK
from services.consent.page.__main__ import Web, options


def telling() -> Flask:
    """Says where a request seems to come from."""
    app = Flask("telling")
    app.add_url_rule("/", "tell", lambda: f"{request.remote_addr} {request.scheme}")
    return app


@contextmanager
def serving(proxies: int) -> Iterator[str]:
    server: Any = waitress.create_server(telling(), **options(Web(LOOPBACK, 0, proxies)))
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.effective_port}/"
    finally:
        with suppress(OSError):  # it may have closed itself before it is woken
            server.trigger.pull_trigger(server.close)  # in its own thread, between two looks at its sockets


FORGED = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("proxies", "headers", "told"),
    [
        (0, FORGED, "127.0.0.1 http"),
        (0, {}, "127.0.0.1 http"),
        (1, FORGED, "192.0.2.7 https"),
        (2, FORGED, "203.0.113.9 https"),
        (1, {}, "127.0.0.1 http"),
    ],
)
def test_only_the_proxies_that_are_ours_are_believed(proxies: int, headers: dict[str, str], told: str) -> None:
    with serving(proxies) as address:
        assert urllib3.request("GET", address, headers=headers).data.decode() == told
