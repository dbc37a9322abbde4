"""`cpor doctor` on the page that the links of notices lead to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.ports import LOOPBACK, free_ports
from cpor.ops.findings import Finding, Verdict
from cpor.ops.findings_page import page_findings
from cpor.ops.instance import Instance


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A page that answers `/base/readyz` so, and nothing else."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/base/readyz" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with HTTPServer((LOOPBACK, 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}/base/"
        server.shutdown()


def found(page: str) -> list[Finding]:
    return list(page_findings(Instance(Endpoints("", "", "", "", Path("data"), consent_url=page))))


@pytest.mark.parametrize(("status", "verdict"), [(200, Verdict.GOOD), (503, Verdict.WARN), (404, Verdict.WARN)])
def test_a_page_that_is_not_ready_is_told(status: int, verdict: Verdict) -> None:
    with answering(status) as page:
        assert [each.verdict for each in found(page)] == [verdict]


def test_a_page_that_nobody_reaches_is_told_and_one_that_is_not_named_is_not() -> None:
    assert [each.verdict for each in found(f"http://{LOOPBACK}:{free_ports(1)[0]}/")] == [Verdict.WARN]
    assert found("") == []
