"""The page's process: real HTTP in front, a real Kafka behind."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.stack import Stack
from cpor.runtime.errors import ExitCode
from tests.integration.consent.process import Site, serving, until, words

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(platform: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(platform.kafka_bootstrap, tmp_path_factory.mktemp("page")) as made:
        yield made


@pytest.mark.rule("D4", "D19")
@pytest.mark.parametrize("answer", ["decline", "agree"])
def test_an_answer_is_on_the_log_before_the_page_says_so(site: Site, answer: str) -> None:
    page = site.opens(site.claim(f"on-the-log-{answer}"))
    assert page.status == 200
    start = site.end_of_answers()
    moved = site.presses(page, answer)
    found = site.answers_since(start)
    assert moved.status == 303
    said = json.loads(found[-1].value or b"")
    assert (said["answer"], said["channel"], said.get("doubts")) == (answer, "page", None)
    assert json.loads(said["evidence"])["opened_at"]


def test_the_page_behind_the_button_tells_of_the_answer_and_a_reload_gives_none(site: Site) -> None:
    moved = site.presses(site.opens(site.claim("reload")), "decline")
    start = site.end_of_answers()
    for _ in range(3):
        page = site.http.request("GET", f"http://{site.address}/{moved.headers['Location'][2:]}")
        assert "We have your answer" in words(page)
    assert site.answers_since(start) == []


@pytest.mark.rule("D20")
def test_an_answer_without_a_visit_stands_on_the_log_with_its_doubt(site: Site) -> None:
    token, start = site.claim("no-visit"), site.end_of_answers()
    assert site.post(token=token, answer="decline").status == 303
    assert json.loads(site.answers_since(start)[-1].value or b"")["doubts"] == ["no_visit"]


def test_health_and_readiness_are_told(site: Site) -> None:
    assert (site.status("healthz"), site.status("readyz")) == (200, 200)
    told = json.loads((site.home / "consent-page" / "0" / "health.json").read_text())
    assert told["state"] in ("running", "idle")


RAW = (
    b"",
    b"\r\n\r\n",
    b"GET /?token=%00%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /?token=" + b"A" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /answer HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
    b"POST /answer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"POST /answer HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /static/..%2f..%2f__main__.py HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PROPFIND / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
)


def test_hostile_input_is_refused_and_the_page_goes_on(site: Site) -> None:
    start = site.end_of_answers()
    host, port = site.address.split(":")
    for each in RAW:
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(each)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(65_536)
            assert not answer or int(answer.split()[1]) >= 400, each[:60]
            assert b"Traceback" not in answer
    assert site.answers_since(start) == []
    assert site.status("readyz") == 200


def test_the_log_of_requests_names_nobody(site: Site) -> None:
    token = site.claim("quiet")
    site.presses(site.opens(token), "agree")
    written = site.log.read_text()
    lines = [json.loads(line) for line in written.splitlines() if '"event": "request"' in line]
    assert {line["page"] for line in lines} >= {"claim", "answer"}
    assert {line["network"] for line in lines} == {"127.0.0.0/24"}
    assert token not in written
    assert "python-urllib3" not in written


def test_the_server_does_not_say_what_it_is(site: Site) -> None:
    assert "Server" not in site.http.request("GET", f"http://{site.address}/healthz").headers


def test_a_page_that_is_started_again_knows_the_same_claims_and_ends_when_asked(site: Site) -> None:
    token = site.claim("again")
    assert site.opens(token).status == 200
    site.restart()
    assert site.opens(token).status == 200
    assert site.end() == ExitCode.DONE
    site.restart()


def test_while_kafka_is_down_the_page_says_so_and_nothing_is_lost_silently(tmp_path: Path) -> None:
    """The broker is frozen: the connection stands, and nobody answers."""
    with Stack(tmp_path / "stack", s3=False) as stack, serving(stack.endpoints.kafka_bootstrap, tmp_path) as site:
        page = site.opens(site.claim("down"))
        start = site.end_of_answers()
        os.kill(stack.pids["kafka"], signal.SIGSTOP)
        try:
            refused = site.presses(page, "decline")
            assert refused.status == 503
            assert refused.headers["Retry-After"]
            assert "Nothing was changed" in words(refused)
            assert (site.status("healthz"), site.status("readyz")) == (200, 503)
        finally:
            os.kill(stack.pids["kafka"], signal.SIGCONT)
        until(lambda: site.status("readyz") == 200)
        assert site.answers_since(start) == []
        assert site.presses(page, "decline").status == 303
        assert len(site.answers_since(start)) == 1
