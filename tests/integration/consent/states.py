"""Everything that the page can show, each on a stage of its own and served over HTTP, so that a browser can look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from werkzeug.serving import make_server

from cpor.devstack.ports import LOOPBACK
from cpor.domain.vocabulary import CommandName
from cpor.runtime.topics import Topic
from services.consent.page.guard import Rates
from services.consent.page.web import app_of
from tests.unit.consent.page_stage import SOON, Browser, browsing
from tests.unit.consent.stage import GRACE, Stage, of_2020

MINUTE = 60_000
#: Nobody is stopped for looking often.
PATIENT = Rates(*[100_000] * 5)


@dataclass
class Served:
    """A page under an address. `customer`: one who follows links and presses buttons without a browser."""

    customer: Browser
    address: str

    @property
    def stage(self) -> Stage:
        return self.customer.stage

    def link(self, language: str = "en", token: str | None = None) -> str:
        wanted = self.customer.link() if token is None else token
        return f"{self.address}?{urlencode({'token': wanted, 'lang': language})}"


@contextmanager
def served(stage: Stage, folder: Path, **site: Any) -> Iterator[Served]:
    with browsing(stage, folder) as customer:
        changed = customer.with_site(**{"rates": PATIENT, **site})
        server = make_server(LOOPBACK, 0, app_of(changed.site), threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Served(changed, f"http://{LOOPBACK}:{server.server_port}/")
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


# -- claims -----------------------------------------------------------------------------------------------------------


def submitted() -> Stage:
    stage = Stage()
    stage.file()
    stage.run()
    stage.arrives()
    stage.clock.tick(SOON)
    return stage


def waiting() -> Stage:
    stage = Stage()
    stage.waiting()
    stage.clock.tick(SOON)
    return stage


def waiting_2020() -> Stage:
    stage, _ = of_2020()
    stage.clock.tick(SOON)
    return stage


# -- what happens to them ---------------------------------------------------------------------------------------------


def nothing(customer: Browser) -> None:
    """The claim stays as it is."""


def declines(customer: Browser) -> None:
    customer.presses(customer.opens(), "decline")


def agrees(customer: Browser) -> None:
    customer.presses(customer.opens(), "agree")


def declines_unheard(customer: Browser) -> None:
    """Nobody judges the answer yet."""
    customer.stage.stopped = True
    declines(customer)


def declines_unseen(customer: Browser) -> None:
    """Without a visit."""
    customer.presses(customer.opens(), "decline", form="")


def declines_unseen_and_did_not(customer: Browser) -> None:
    declines_unseen(customer)
    (held,) = [each.header("ce_id") or "" for each in customer.stage.broker.records(Topic.CONSENT_RESPONSES)]
    customer.stage.finds("dismissed", held)


def days_pass(customer: Browser) -> None:
    customer.stage.pass_to(customer.stage.due() + GRACE)
    customer.stage.run()


def declines_late(customer: Browser) -> None:
    page = customer.opens()
    customer.stage.pass_to(customer.stage.due() + 1_000)
    customer.presses(page, "decline")


def is_turned_down(customer: Browser) -> None:
    stage = customer.stage
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin.")
    stage.run()


def partner_leaves(customer: Browser) -> None:
    days_pass(customer)
    customer.stage.partner("c", CommandName.DISASSOCIATE, {"reason": "The contract has ended."})
    customer.stage.run()


@dataclass(frozen=True)
class State:
    """A claim, what happens to it, what the page then says in English, and its buttons."""

    stage: Callable[[], Stage]
    act: Callable[[Browser], None]
    says: str
    buttons: tuple[str, ...] = ()


BOTH = ("decline", "agree")
STATES: Mapping[str, State] = {
    "in_review": State(submitted, nothing, "The request is being reviewed.", BOTH),
    "waiting": State(waiting, nothing, "You can decline at any time.", BOTH),
    "waiting_2020": State(waiting_2020, nothing, "not afterwards", BOTH),
    "processing": State(waiting, declines_unheard, "We have your answer"),
    "checking": State(waiting, declines_unseen, "An answer is being checked", BOTH),
    "suspended": State(waiting, declines_unseen_and_did_not, "At present it stands still", BOTH),
    "declined": State(waiting, declines, "You have declined"),
    "agreed": State(waiting, agrees, "You have agreed", ("decline",)),
    "in_effect": State(waiting, days_pass, "The partner has been recorded since", ("decline",)),
    "over_2020": State(waiting_2020, days_pass, "That time is over"),
    "too_late": State(waiting_2020, declines_late, "Your answer came too late"),
    "rejected": State(submitted, is_turned_down, "The request was turned down.", ("decline",)),
    "ended": State(waiting, partner_leaves, "The request is closed."),
}
