"""The page's view, whatever comes first: topics have no order among each other."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from services.consent.page.knowledge import SHAPE, TABLES, Knowledge, fold
from tests.unit.consent.page_stage import browsing
from tests.unit.consent.stage import Stage
from tests.unit.review.pipeline import of


class Rows:
    """Stands for a view that holds these rows."""

    def __init__(self, rows: sqlite3.Connection) -> None:
        self._rows = rows

    def caught_up(self, seconds: float) -> bool:
        return True

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        yield self._rows


def lived() -> Stage:
    """A claim with two notices, an answer that was released and one that was ignored."""
    stage = Stage()
    stage.waiting()
    stage.finds("released", stage.doubtful("decline"))
    stage.answers("agree")
    return stage


@pytest.mark.parametrize("seed", range(8))
def test_what_the_page_knows_does_not_depend_on_which_topic_came_first(seed: int) -> None:
    stage = lived()
    topics = [stage.broker.records(Topic(topic)) for topic in SHAPE.topics]
    dice, whole = random.Random(seed), list[Record]()
    while any(topics):
        whole.append(dice.choice([each for each in topics if each]).pop(0))
    with closing(sqlite3.connect(":memory:")) as rows:
        for statement in TABLES:
            rows.execute(statement)
        for record in whole:
            fold(rows, record)
        known = Knowledge(Rows(rows)).of(of("c"), stage.request())  # type: ignore[arg-type]
    assert known is not None
    assert (known.partner, known.case.declined) == ("Partner P-1", True)
    assert [(each.answer, (each.verdict or "").split(".")[2]) for each in known.answers] == [
        ("decline", "declined"),
        ("agree", "ignored"),
    ]
    assert known.notice.delivered_at is not None


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    stage = lived()
    with browsing(stage, tmp_path) as browser:
        for topic in SHAPE.topics:
            for value in (b"", b"nope", b"[]", b"{}", b"\xff"):
                headers = [("ce_type", b"cpor.consent.response.v1"), ("ce_id", b"x"), ("ce_causationid", b"y")]
                fold_one(Record(topic, 0, 0, 0, b"k", value, tuple(headers)))
        assert browser.opens().status_code == 200


def fold_one(record: Record) -> None:
    with closing(sqlite3.connect(":memory:")) as rows:
        for statement in TABLES:
            rows.execute(statement)
        fold(rows, record)
