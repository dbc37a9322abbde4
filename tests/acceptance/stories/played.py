"""All stories of an edition, played at the same time on one instance, and what was recorded of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cpor.ops.checker import Finding, PipelineLog, check
from cpor.ops.demo.reconcile import read_pipeline
from cpor.ops.demo.stage import Play, Stage, Surprise
from cpor.ops.directory import add_partners, load_reference
from cpor.ops.instance import Instance
from cpor.ops.reading import partition_counts
from cpor.ops.running import Plan, run_instance
from cpor.runtime.record import Record
from schemas import envelope
from tests.acceptance.stories.lines import lines_by_moment
from tests.acceptance.stories.page import page
from tests.acceptance.stories.telling import COUNTRIES, PARTNERS, Book, Tale, Teller

DOCS = Path(__file__).resolve().parents[3] / "docs" / "stories"
#: Set, it has the pages written anew instead of compared.
WRITE = "CPOR_WRITE_STORIES"
#: Midnights are not that near to each other.
TOGETHER_MS = 60_000


@dataclass
class Played:
    """One edition's stories after their end. `findings`: of the offline checker, over all of them."""

    book: Book
    tellers: dict[str, Teller]
    surprises: list[Surprise]
    log: PipelineLog
    findings: list[Finding]

    def assert_told(self, tale: Tale) -> None:
        """It came to its end without a surprise, and everybody saw what the story says and nothing it denies."""
        teller = self.tellers[tale.name]
        assert [str(each) for each in self.surprises if each.play == tale.name] == []
        assert teller.whole
        for moment, lines in lines_by_moment(teller, self.log):
            shown = "\n".join([moment.when, *lines])
            for text in moment.seen:
                assert any(text in line for line in lines), f"{text!r} is missing:\n{shown}"
            for text in moment.unseen:
                assert not any(text in line for line in lines), f"{text!r} is there:\n{shown}"

    def assert_nobody_holds(self, tale: Tale, *revoked: str) -> None:
        """The last that other systems heard of its claim are these revocations, and its units are free."""
        (claim,) = self.tellers[tale.name].claims
        handed = [each for each in (*self.log.approved, *self.log.eligible) if about(each) == claim.claim_id]
        last = {each.topic: each.header(envelope.TYPE) for each in handed}
        assert tuple(last.values()) == revoked
        units = {f"{claim.tenant_id}/workload/{each}".encode() for each in claim.subject.workloads}
        held = {each.key: each.value for each in self.log.associations if each.key in units}
        assert held == dict.fromkeys(units)

    def page(self) -> str:
        told = [(each, lines_by_moment(self.tellers[each.name], self.log)) for each in self.book.tales]
        return page(self.book, told)

    def assert_page_is_fresh(self) -> None:
        path = DOCS / f"{self.book.edition.lower()}.md"
        if os.environ.get(WRITE):
            path.write_text(self.page(), "utf-8")
        assert self.page() == path.read_text("utf-8"), f"run this test with {WRITE}=1 and look at what changed"


def about(record: Record) -> str | None:
    return record.header(envelope.SUBJECT)


@contextmanager
def played(book: Book, begins: str, folder: Path) -> Iterator[Played]:
    """All five services, one worker each, on a test clock that begins at `begins`."""
    with run_instance(Plan(folder, begins, keep=False), lambda text: None) as running:
        set_up(running.instance)
        yield play(book, running.instance)


def set_up(instance: Instance) -> None:
    add_partners(instance, [home.partner for home in PARTNERS])
    buyers = [row for home in COUNTRIES for row in home.buyers]
    load_reference(instance, [*buyers, *(row for home in COUNTRIES for row in home.subscriptions)])


def play(book: Book, instance: Instance) -> Played:
    numbers = itertools.count(1)
    tellers = {tale.name: Teller(book.edition, tale.home, instance, lambda: next(numbers)) for tale in book.tales}
    names = [home.partner_id for home in PARTNERS]
    stage = Stage(instance, names, partition_counts(instance.transport), lambda tally: None, TOGETHER_MS)
    try:
        stage.play([Play(tale.name, tale.told(tellers[tale.name])) for tale in book.tales])
    finally:
        stage.close()
    log = read_pipeline(instance)
    return Played(book, tellers, stage.surprises, log, list(check(log)))
