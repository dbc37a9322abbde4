"""The page on the stage: a browser that follows links and presses buttons, and what lies on the log afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.view import View
from services.consent.page.answering import Log
from services.consent.page.guard import Rates
from services.consent.page.knowledge import SHAPE, Knowledge
from services.consent.page.web import Site, app_of
from services.consent.tokens import Tokens
from tests.unit.consent.stage import KEY, Stage
from tests.unit.review.pipeline import N

CONTACT = "claims@cpor.example"
SOON = 3_000


@dataclass
class Browser:
    """One person before the page of a stage."""

    stage: Stage
    site: Site
    client: FlaskClient

    def link(self, ref: str = "c") -> str:
        """The token of the newest link."""
        return self.stage.requests(ref)[-1][1].token

    def opens(self, token: str | None = None, **query: str) -> TestResponse:
        wanted = {"token": self.link() if token is None else token} | query
        return self.client.get("/", query_string=wanted, headers=[("User-Agent", "Browser/1.0")])

    def presses(self, page: TestResponse, answer: str, **changes: str) -> TestResponse:
        """The button of a page that was opened; the page that follows."""
        fields = dict(re.findall(r'name="(token|form|lang)" value="([^"]*)"', page.text)) | {"answer": answer}
        sent = self.client.post("/answer", data=fields | changes, headers=[("User-Agent", "Browser/1.0")])
        self.stage.run()
        return self.client.get("/" + sent.headers["Location"][2:]) if sent.status_code == 303 else sent

    def answers(self) -> list[dict[str, Any]]:
        """What the page put on the log."""
        found = self.stage.broker.records(Topic.CONSENT_RESPONSES)
        return [json.loads(each.value or b"") for each in found if _by_page(each)]

    def evidence(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.answers()[-1]["evidence"])
        return told

    def with_site(self, **changes: Any) -> Browser:
        """The same stage behind a page that is set up otherwise."""
        site = replace(self.site, **changes)
        return Browser(self.stage, site, app_of(site).test_client())


def _by_page(record: Record) -> bool:
    return bool(json.loads(record.value or b"").get("channel") == "page")


def words(page: TestResponse) -> str:
    """What a reader sees, on one line."""
    return " ".join(unescape(re.sub(r"<(head|style).*?</\1>|<[^>]*>", " ", page.text, flags=re.DOTALL)).split())


def buttons(page: TestResponse) -> list[str]:
    return re.findall(r'<button type="submit" name="answer" value="(\w+)"', page.text)


@contextmanager
def browsing(stage: Stage, path: Path, **site: Any) -> Iterator[Browser]:
    transport = MemoryTransport(stage.broker)
    view = View(transport, path / "view.sqlite", SHAPE, stage.clock)
    answers = Log(transport)
    made = Site(
        Knowledge(view),
        Tokens(KEY),
        answers,
        stage.clock,
        N,
        CONTACT,
        rates=Rates(link=10_000),
        judged_seconds=0,
        **site,
    )
    view.start()
    try:
        yield Browser(stage, made, app_of(made).test_client())
    finally:
        view.close()
        answers.close()
