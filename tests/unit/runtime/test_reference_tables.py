"""Reference data is read to its end before each round: "load, then submit" never meets a stale table."""

from __future__ import annotations

from collections.abc import Iterable

from cpor.runtime.processor import Context, Index, Processor, ReferenceTable
from cpor.runtime.record import Output, Record
from cpor.runtime.store.engine import MemoryEngines
from tests.unit.runtime.pipeline import SLOTS, Pipeline


class Pricing(Processor):
    """Answers with the price of the record's key and the rate that holds everywhere."""

    service = "count"
    slots_topic = "count.slots"
    reference_tables: tuple[ReferenceTable, ...] = (
        ReferenceTable("prices", "prices"),
        ReferenceTable("rates", "rates", everywhere=True),
    )

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return ["in"]

    def process(self, context: Context, record: Record) -> None:
        assert record.key is not None
        price, rate = context.get("prices", record.key), context.get("rates", b"eur")
        context.emit("out", context.partition, record.key, b"%s*%s" % (price or b"?", rate or b"?"), [])


def pricing(rate_partitions: int = 1) -> Pipeline:
    pipeline = Pipeline(Pricing)
    pipeline.broker.create("prices", SLOTS)
    pipeline.broker.create("rates", rate_partitions)
    return pipeline


def load(pipeline: Pipeline, topic: str, key: str, value: str | None, partition: int) -> None:
    told = None if value is None else value.encode()
    pipeline.broker.append(Output(topic, partition, key.encode(), told, []))


def test_a_row_loaded_before_a_record_is_seen_by_it() -> None:
    pipeline = pricing()
    worker = pipeline.worker()
    for n in range(5):
        load(pipeline, "prices", "k1", str(n), 1)
        load(pipeline, "rates", "eur", str(n * 10), 0)
        pipeline.feed("k1")
        pipeline.settle(worker)
    assert pipeline.told()["k1"] == ["0*0", "1*10", "2*20", "3*30", "4*40"]


def test_a_deleted_row_is_gone_and_stays_gone_over_restarts() -> None:
    pipeline = pricing()
    load(pipeline, "prices", "k1", "5", 1)
    pipeline.feed("k1")
    pipeline.settle(pipeline.worker())
    load(pipeline, "prices", "k1", None, 1)
    for engines in (pipeline.engines, MemoryEngines()):
        pipeline.feed("k1")
        pipeline.settle(pipeline.worker(engines=engines))
    assert pipeline.told()["k1"] == ["5*?", "?*?", "?*?"]


def test_a_global_table_of_several_partitions_is_whole_after_every_start() -> None:
    pipeline = pricing(rate_partitions=3)
    load(pipeline, "rates", "eur", "1", 2)
    for n in range(5):
        load(pipeline, "rates", f"x{n}", "9", 0)
    for _ in range(3):
        pipeline.feed("k1")
        pipeline.settle(pipeline.worker())
    assert pipeline.told()["k1"] == ["?*1", "?*1", "?*1"]


def test_a_re_created_reference_topic_replaces_the_rows_of_the_old_one() -> None:
    pipeline = pricing(rate_partitions=2)
    load(pipeline, "rates", "eur", "1", 1)
    pipeline.feed("k1")
    pipeline.settle(pipeline.worker())
    pipeline.broker.recreate("rates")
    for n in range(3):
        load(pipeline, "rates", f"x{n}", "9", 1)
    pipeline.feed("k1")
    pipeline.settle(pipeline.worker())
    assert pipeline.told()["k1"] == ["?*1", "?*?"]


def test_rows_that_no_longer_exist_on_the_topic_are_read_from_its_first_offset() -> None:
    pipeline = pricing()
    for n in range(4):
        load(pipeline, "prices", "k1", str(n), 1)
    pipeline.settle(pipeline.worker())
    log = pipeline.broker.log(pipeline.broker.records("prices", 1)[0].tp)
    load(pipeline, "prices", "k1", "new", 1)
    log.start = 4
    pipeline.feed("k1")
    pipeline.settle(pipeline.worker(engines=MemoryEngines()))
    assert pipeline.told()["k1"] == ["new*?"]


def test_a_table_whose_unread_rows_were_deleted_while_the_worker_runs_is_rebuilt() -> None:
    pipeline = pricing()
    load(pipeline, "prices", "k1", "old", 1)
    pipeline.feed("k1")
    worker = pipeline.worker()
    pipeline.settle(worker)
    tp = pipeline.broker.records("prices", 1)[0].tp
    load(pipeline, "prices", "k1", None, 1)
    load(pipeline, "prices", "k5", "other", 1)
    pipeline.broker.log(tp).start = 2
    for key in ("k1", "k5"):
        pipeline.feed(key)
    pipeline.settle(worker)
    assert pipeline.told() == {"k1": ["old*?", "?*?"], "k5": ["other*?"]}


def test_a_reference_topic_made_again_while_the_worker_runs_replaces_the_rows_of_the_old_one() -> None:
    """Also while it is still shorter than the old one was: its rows must not wait until it is as long."""
    pipeline = pricing()
    for key in ("k1", "k5", "k1"):
        load(pipeline, "prices", key, "old", 1)
    worker = pipeline.worker()
    pipeline.feed("k1")
    pipeline.settle(worker)
    pipeline.broker.recreate("prices")
    load(pipeline, "prices", "k1", "new", 1)
    for key in ("k1", "k5"):
        pipeline.feed(key)
    pipeline.settle(worker)
    assert pipeline.told() == {"k1": ["old*?", "new*?"], "k5": ["?*?"]}


class Finding(Pricing):
    """Answers with every row of the record's key, whichever partition it lies in."""

    reference_tables = (
        ReferenceTable(
            "places", "rates", everywhere=True, apart=True, indexes=(Index("place", lambda _, row: [row[:2]]),)
        ),
    )

    def process(self, context: Context, record: Record) -> None:
        assert record.key is not None
        found = [b"%b=%b" % (key, row) for key, row in context.find("place", record.key)]
        context.emit("out", context.partition, record.key, b" ".join(found), [])


def test_rows_of_partitions_that_are_kept_apart_do_not_touch_each_other() -> None:
    pipeline = Pipeline(Finding)
    pipeline.broker.create("rates", SLOTS)
    for partition, row in ((0, "k1 there"), (1, "k1 here"), (0, None)):
        load(pipeline, "rates", "k1", row, partition)
        pipeline.feed("k1")
        pipeline.settle(pipeline.worker())
    pipeline.feed("k1")
    pipeline.settle(pipeline.worker(engines=MemoryEngines()))
    assert pipeline.told()["k1"] == ["0/k1=k1 there", "0/k1=k1 there 1/k1=k1 here", "1/k1=k1 here", "1/k1=k1 here"]
