"""The fair clock's gate: a timer that may not fire yet waits, and holds up no other (D19)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpor.runtime.clock import Piece, map_shown, map_wall
from cpor.runtime.health import Health, read_health
from cpor.runtime.processor import Context, Observer, Timer
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryAdmin, MemoryReader, MemoryTransport
from cpor.runtime.worker import Limits
from tests.unit.runtime.pipeline import EAGER, FAULT_POINTS, Counting, Crash, Pipeline

OTHER = TopicPartition("elsewhere", 1)


class Patient(Counting):
    """Alarms of keys that begin with `w` wait until group `other` has read what lies elsewhere, as of their due."""

    def gate(self, due: Sequence[Timer], look: Observer) -> Sequence[Timer]:
        return [
            each for each in due if not each.claim.startswith("w") or look.has_read("other", OTHER, each.due, GRACE)
        ]


class Grace(Counting):
    def gate(self, due: Sequence[Timer], look: Observer) -> Sequence[Timer]:
        return [each for each in due if look.is_past(each.due, GRACE)]


class Own(Counting):
    """Fires only when its own input was read up to the due instant."""

    def gate(self, due: Sequence[Timer], look: Observer) -> Sequence[Timer]:
        return [each for each in due if look.have_read("in", each.due)]


GRACE = 50


def pipeline_of(processor: type[Counting], limits: Limits = EAGER) -> Pipeline:
    pipeline = Pipeline(processor, limits)
    pipeline.broker.create(OTHER.topic, 4)
    return pipeline


def commit(pipeline: Pipeline, offset: int) -> None:
    """Group `other` has read that far."""
    transport = MemoryTransport(pipeline.broker)
    member = transport.membership("other", "0", OTHER.topic)
    producer = transport.producer("other")
    producer.begin()
    producer.send_positions({OTHER: offset}, member.token())
    producer.commit()


def elsewhere(pipeline: Pipeline) -> None:
    pipeline.broker.append(Output(*OTHER, b"k", b"v", []))


def test_a_timer_waits_for_another_group_and_holds_up_no_timer_behind_it() -> None:
    pipeline = pipeline_of(Patient)
    elsewhere(pipeline)
    pipeline.feed("w1", "alarm 10")
    pipeline.feed("k1", "alarm 20")
    worker = pipeline.worker()
    pipeline.clock.tick(1_000)
    pipeline.settle(worker)
    assert pipeline.told("fired").keys() == {"k1"}
    assert worker.gate.held == 1
    commit(pipeline, 1)
    pipeline.settle(worker)
    assert pipeline.told("fired").keys() == {"k1", "w1"}
    assert worker.gate.held == 0


def test_health_tells_what_is_held_back_how_far_time_has_come_and_what_is_due_next(tmp_path: Path) -> None:
    pipeline = pipeline_of(Patient)
    elsewhere(pipeline)
    pipeline.feed("w1", "alarm 10")
    pipeline.feed("k1", "alarm 5000")
    worker = pipeline.worker()
    worker.health = Health("count", "0", tmp_path / "health.json", every=0)
    pipeline.settle(worker)
    pipeline.clock.tick(1_000)
    pipeline.settle(worker)
    held = read_health(tmp_path / "health.json") or {}
    assert (held["gate_held"], held["clock"]) == (1, pipeline.clock.now())
    assert held["next_timer"] < held["clock"]
    commit(pipeline, 1)
    pipeline.settle(worker)
    done = read_health(tmp_path / "health.json") or {}
    assert done["gate_held"] == 0
    assert done["next_timer"] == held["next_timer"] + 4_990 > done["clock"]


class Relenting(Patient):
    """`calm` cancels the alarm that the key's first record set."""

    def process(self, context: Context, record: Record) -> None:
        if record.value == b"calm":
            context.cancel_timer((record.key or b"").decode(), "alarm", 1)
        else:
            super().process(context, record)


def test_a_held_timer_that_is_cancelled_is_held_no_longer() -> None:
    pipeline = pipeline_of(Relenting)
    elsewhere(pipeline)
    pipeline.feed("w1", "alarm 10")
    worker = pipeline.worker()
    pipeline.clock.tick(1_000)
    pipeline.settle(worker)
    assert worker.gate.held == 1
    pipeline.feed("w1", "calm")
    pipeline.settle(worker)
    assert worker.gate.held == 0


def test_only_what_came_before_the_instant_and_its_grace_has_to_be_read() -> None:
    pipeline = pipeline_of(Patient)
    elsewhere(pipeline)
    pipeline.feed("w1", "alarm 10")
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.clock.tick(10 + GRACE - 1)
    elsewhere(pipeline)  # offset 1, still within the grace
    pipeline.clock.tick(1)
    elsewhere(pipeline)  # offset 2
    commit(pipeline, 1)
    pipeline.settle(worker)
    assert pipeline.told("fired") == {}
    commit(pipeline, 2)
    pipeline.settle(worker)
    assert pipeline.told("fired").keys() == {"w1"}


def test_an_open_transaction_at_the_end_of_the_other_topic_is_waited_for() -> None:
    pipeline = pipeline_of(Patient)
    pipeline.feed("w1", "alarm 10")
    open_one = MemoryTransport(pipeline.broker).producer("sender")
    open_one.begin()
    open_one.send(Output(*OTHER, b"k", b"v", []))
    worker = pipeline.worker()
    pipeline.clock.tick(1_000)
    pipeline.settle(worker)
    assert pipeline.told("fired") == {}
    open_one.commit()
    commit(pipeline, 2)  # the record and its marker
    pipeline.settle(worker)
    assert pipeline.told("fired").keys() == {"w1"}


def test_a_topic_that_is_gone_holds_nothing_up() -> None:
    pipeline = Pipeline(Patient)
    pipeline.feed("w1", "alarm 10")
    worker = pipeline.worker()
    pipeline.clock.tick(1_000)
    pipeline.settle(worker)
    assert pipeline.told("fired").keys() == {"w1"}


def test_grace_is_time_that_has_to_pass_after_the_instant() -> None:
    pipeline = pipeline_of(Grace)
    pipeline.feed("k1", "alarm 10")
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.clock.tick(10 + GRACE - 1)
    pipeline.settle(worker)
    assert pipeline.told("fired") == {}
    pipeline.clock.tick(1)
    pipeline.settle(worker)
    assert pipeline.told("fired").keys() == {"k1"}


def test_a_worker_that_was_away_reads_before_it_fires() -> None:
    """A round reads one record at most here: the timer is due at once, and its input is read first all the same."""
    pipeline = pipeline_of(Own, Limits(records=1, poll_ms=0, idle_seconds=0, gate_seconds=0))
    pipeline.feed("k1", "alarm 10")
    pipeline.settle(pipeline.worker())
    for _ in range(5):
        pipeline.clock.tick(1)
        pipeline.feed("k1")
    pipeline.clock.tick(1_000)
    worker = pipeline.worker()
    took = [(worker.step(), len(pipeline.told("fired"))) for _ in range(6)]
    assert took == [(1, 0)] * 5 + [(1, 1)]


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_timer_that_had_to_wait_fires_once_also_when_the_worker_dies_while_firing_it(point: str) -> None:
    pipeline = pipeline_of(Patient)
    elsewhere(pipeline)
    pipeline.feed("w1", "alarm 10")
    worker = pipeline.worker()
    pipeline.clock.tick(1_000)
    pipeline.settle(worker)
    commit(pipeline, 1)
    pipeline.fail_at(point, 1, Crash)
    with pytest.raises(Crash):
        worker.step()
    pipeline.unharmed()
    pipeline.settle(pipeline.worker())
    assert len(pipeline.told("fired")["w1"]) == 1


def test_timers_that_wait_do_not_use_up_the_round_for_others() -> None:
    pipeline = pipeline_of(Patient, Limits(timers=2, poll_ms=0, idle_seconds=0, gate_seconds=0))
    elsewhere(pipeline)
    for key in ("wa1", "wb1", "wc1", "k1"):
        pipeline.feed(key, "alarm 10")
        pipeline.clock.tick(1)
    worker = pipeline.worker()
    pipeline.clock.tick(1_000)
    for _ in range(4):
        worker.step()
    assert pipeline.told("fired").keys() == {"k1"}


def test_what_had_to_wait_is_not_asked_about_again_in_every_round() -> None:
    pipeline = pipeline_of(Patient, Limits(poll_ms=0, idle_seconds=0, gate_seconds=60))
    elsewhere(pipeline)
    pipeline.feed("w1", "alarm 10")
    worker = pipeline.worker()
    pipeline.clock.tick(1_000)
    pipeline.settle(worker)
    worker.step()
    commit(pipeline, 1)
    assert [worker.step() for _ in range(3)] == [0, 0, 0]
    assert pipeline.broker.records(Topic.DEAD_LETTERS) == []


pieces = st.lists(st.tuples(st.integers(1, 1_000), st.integers(0, 10_000)), min_size=1, max_size=6)


@given(steps=pieces, shown=st.integers(0, 100_000))
def test_the_wall_instant_of_a_shown_one_is_the_first_that_shows_it(steps: list[tuple[int, int]], shown: int) -> None:
    made = [Piece(10_000, 20_000)]
    for pause, jump in steps:
        since = made[-1].since + pause
        made.append(Piece(since, map_wall(made, since) + jump))
    wall = map_shown(made, shown)
    assert map_wall(made, wall) >= shown
    assert map_wall(made, wall - 1) < shown


def test_many_timers_cost_few_questions_to_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a day's stand-still thousands are due at once: a question for each would outlast the watchdog."""
    pipeline = pipeline_of(Patient)
    elsewhere(pipeline)
    commit(pipeline, 1)
    for n in range(400):
        pipeline.feed(f"w{n:03d}1", f"alarm {n + 1}")
    worker = pipeline.worker()
    asked: list[str] = []
    for part, name in ((MemoryReader, "ends"), (MemoryReader, "offsets_at"), (MemoryAdmin, "topic_ids")):
        monkeypatch.setattr(part, name, counted(asked, getattr(part, name)))
    pipeline.settle(worker)
    asked.clear()
    pipeline.clock.tick(1_000)
    assert worker.step() == 400
    assert len(asked) < 20


def counted(asked: list[str], question: Callable[..., Any]) -> Callable[..., Any]:
    def ask(*arguments: Any, **named: Any) -> Any:
        asked.append(question.__name__)
        return question(*arguments, **named)

    return ask
