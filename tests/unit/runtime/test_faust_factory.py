"""What stock Faust would lose or repeat does not happen here: one test for each pitfall of architecture §5."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import faust
import pytest

from cpor.runtime.errors import ExitCode, Misconfigured, Reject, Retry
from cpor.runtime.faust_app import (
    TABLE_OPTIONS,
    Guard,
    Handle,
    Limits,
    SafeApp,
    SafeConsumer,
    SafeTransport,
    Send,
    agent_on,
    new_app,
    record_of,
    watch_heartbeats,
)
from cpor.runtime.faust_lanes import Lease
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import Topic

QUICK = Limits(handle=0.2, send=0.2, retries=2, pause=0.01)
RECORD = Record("t", 0, 7, 1_709_283_600_412, b"k", b"v", (("ce_id", b"m-1"),))


class Ended(BaseException):
    """Stands for the end of the process: nothing after it may happen."""


class Scene:
    """A guard with what it sent and how it ended."""

    def __init__(self, handle: Handle, send: Send | None = None) -> None:
        self.sent: list[Output] = []
        self.code: int | None = None
        self.guard = Guard("x", handle, send or self.send, QUICK, self.end)

    async def send(self, output: Output) -> None:
        self.sent.append(output)

    def end(self, code: int) -> Any:
        self.code = code
        raise Ended

    def run(self) -> bool:
        """Whether the record may be acknowledged."""
        try:
            asyncio.run(self.guard(RECORD))
        except Ended:
            return False
        return True

    @property
    def reasons(self) -> list[str | None]:
        return [dict(each.headers).get("dlq_reason", b"").decode() for each in self.sent]


def failing(*faults: BaseException) -> Handle:
    """Raises these, one a call, then goes through."""
    left = list(faults)

    async def handle(record: Record, send: Send) -> None:
        if left:
            raise left.pop(0)

    return handle


def test_what_went_through_is_acknowledged() -> None:
    assert Scene(failing()).run()


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), KeyError("x"), SystemExit(3), AssertionError()])
def test_an_unknown_fault_ends_the_process_before_the_acknowledgement(fault: BaseException) -> None:
    scene = Scene(failing(fault))
    assert not scene.run()
    assert (scene.code, scene.sent) == (ExitCode.STOPPED, [])


def test_a_passing_fault_is_tried_again() -> None:
    scene = Scene(failing(Retry("down"), Retry("down")))
    assert scene.run()
    assert scene.sent == []


def test_a_fault_that_does_not_pass_becomes_a_dead_letter_and_is_acknowledged_then() -> None:
    scene = Scene(failing(*[Retry("down")] * 3))
    assert scene.run()
    assert (scene.reasons, scene.sent[0].topic) == (["retries_exhausted"], Topic.DEAD_LETTERS)


def test_what_can_never_be_handled_is_a_dead_letter_at_once() -> None:
    scene = Scene(failing(Reject("unreadable"), RuntimeError("never reached")))
    assert scene.run()
    assert scene.reasons == ["unreadable"]


def test_a_handler_that_hangs_is_a_passing_fault() -> None:
    async def hang(record: Record, send: Send) -> None:
        await asyncio.sleep(60)

    scene = Scene(hang)
    assert scene.run()
    assert scene.reasons == ["retries_exhausted"]


def test_a_send_that_fails_or_hangs_is_never_acknowledged() -> None:
    async def handle(record: Record, send: Send) -> None:
        await send(Output("out", 0, None, b"", []))

    async def fails(output: Output) -> None:
        raise OSError("not taken")

    async def hangs(output: Output) -> None:
        await asyncio.sleep(60)

    for send in (fails, hangs):
        scene = Scene(handle, send)
        assert not scene.run()
        assert scene.code == ExitCode.STOPPED


def test_a_dead_letter_that_the_broker_does_not_take_is_not_acknowledged() -> None:
    async def fails(output: Output) -> None:
        raise OSError("not taken")

    scene = Scene(failing(Reject("unreadable")), fails)
    assert not scene.run()


def test_a_rebalance_in_the_middle_leaves_the_record_for_the_next_owner() -> None:
    """Faust cancels the agent and would acknowledge what it held."""

    async def hold(record: Record, send: Send) -> None:
        await asyncio.sleep(60)

    scene = Scene(hold)

    async def cancelled() -> None:
        task = asyncio.ensure_future(scene.guard(RECORD))
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert (scene.code, scene.sent) == (None, [])


# -- the app ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def app(tmp_path: Path) -> SafeApp:
    return new_app("x", "0", "127.0.0.1:1", tmp_path)


def test_exactly_once_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="exactly_once"):
        new_app("x", "0", "127.0.0.1:1", tmp_path, "exactly_once")


def test_the_app_keeps_its_own_things_in_the_workers_directory(app: SafeApp, tmp_path: Path) -> None:
    """Stock Faust makes a directory of its own in whatever directory the process was started in."""
    assert app.conf.datadir.is_relative_to(tmp_path)


def test_a_member_that_comes_back_on_another_machine_takes_what_the_group_still_holds_for_it(
    app: SafeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, first = SimpleNamespace(partitions_for_topic=lambda topic: {0, 1}), cast(Any, app.assignor)
    held = first.assign(cluster, {"0": first.metadata({"t"})})["0"]
    monkeypatch.setattr(faust.Settings, "NODE_HOSTNAME", "elsewhere")
    again = cast(Any, new_app("x", "0", "127.0.0.1:1", tmp_path).assignor)
    again.on_assignment(held)
    assert {(tp.topic, tp.partition) for tp in again.assigned_actives()} == {("t", 0), ("t", 1)}


def test_the_app_makes_no_topics_no_pages_and_no_hidden_ones_of_its_own(app: SafeApp) -> None:
    conf = app.conf
    assert (conf.topic_allow_declare, conf.topic_disable_leader, conf.web_enabled) == (False, True, False)
    assert (conf.id, conf.consumer_group_instance_id, conf.producer_acks) == ("cpor.x", "0", -1)
    assert conf.consumer_auto_offset_reset == "earliest"
    boot: Any = app.boot_strategy
    assert [*boot.web_server()] == []


def test_the_consumer_reads_committed_records_only(app: SafeApp) -> None:
    assert isinstance(app.transport, SafeTransport)

    async def isolation() -> str:
        consumer = app.consumer
        assert isinstance(consumer, SafeConsumer)
        thread: Any = consumer._new_consumer_thread()
        thread.__dict__["thread_loop"] = asyncio.get_running_loop()
        made = thread._create_worker_consumer(app.transport)
        return str(made._isolation_level)

    assert asyncio.run(isolation()) == "read_committed"


def test_one_agent_takes_the_records_in_their_order_and_its_lanes_the_rest(app: SafeApp) -> None:
    async def guard(record: Record) -> None:
        return None

    agent = agent_on(app, ["a", "b"], guard)
    assert (agent.concurrency, agent.isolated_partitions) == (1, False)
    assert list(agent.channel.topics) == ["a", "b"]
    assert app.lanes is not None


def test_a_table_never_takes_the_two_gigabytes_of_the_default(app: SafeApp) -> None:
    table = app.Table("seen")
    assert table.options == TABLE_OPTIONS
    assert sum(TABLE_OPTIONS.values()) < 64 * 1024 * 1024


def consumer_of(app: SafeApp, seen: list[int]) -> SafeConsumer:
    """A consumer whose messages end up in `seen`."""

    async def deliver(message: Any) -> None:
        seen.append(message.offset)

    async def nothing(*_: Any) -> None:
        return None

    return SafeConsumer(app.transport, deliver, nothing, nothing)


def test_no_commit_passes_a_record_that_was_read_and_is_not_done_wherever_it_got_lost(app: SafeApp) -> None:
    """Stock Faust takes a record for done that it throws out of a queue or skips in a rebalance."""
    place = TopicPartition("t", 0)

    async def story() -> None:
        seen: list[int] = []
        consumer: Any = consumer_of(app, seen)
        for offset in (5, 6, 8):
            await consumer.callback(SimpleNamespace(tp=place, offset=offset))
        assert seen == [5, 6, 8]
        app.flights.done(place, 8)
        assert consumer._filter_committable_offsets([place]) == {place: 5}
        app.flights.done(place, 5)
        app.flights.done(place, 6)
        assert list(consumer._filter_tps_with_pending_acks()) == [place]
        assert consumer._filter_committable_offsets([place]) == {place: 9}

    asyncio.run(story())


@pytest.mark.parametrize("answered", [True, False])
def test_only_a_heartbeat_that_the_group_answered_renews_the_lease(answered: bool) -> None:
    """Who was frozen past its session finds out before it begins anything else."""
    lease = Lease(60)

    class Coordinator:
        async def _do_heartbeat(self) -> bool:
            return answered

    async def story() -> bool:
        coordinator = Coordinator()
        watch_heartbeats(coordinator, lease)
        return await coordinator._do_heartbeat()

    assert asyncio.run(story()) == answered
    assert lease.holds() == answered


def test_gaps_in_the_offsets_are_not_kept(app: SafeApp) -> None:
    """Every transaction of a producer leaves one, and stock Faust keeps them all."""

    async def story() -> None:
        consumer = consumer_of(app, [])
        await consumer._add_gap(TopicPartition("t", 0), 3, 4)
        assert not consumer._gap

    asyncio.run(story())


def test_a_record_is_read_with_its_headers_and_its_append_time() -> None:
    about = {"topic": "t", "partition": 0, "offset": 7, "key": b"k", "value": b"v", "timestamp": 1_709_283_600.412}
    for headers in ({"ce_id": b"m-1"}, [("ce_id", b"m-1")]):
        assert record_of(SimpleNamespace(**about, headers=headers)) == RECORD
    assert record_of(SimpleNamespace(**about, headers=None)).headers == ()
