"""The kernel on a real broker: killed, frozen, restored, reset (architecture §3)."""

from __future__ import annotations

import shutil
import signal
import threading
import time

import pytest
from kafka import KafkaAdminClient
from kafka import TopicPartition as ClientTP

from cpor.runtime.errors import ExitCode, LostState
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.worker import Worker
from tests.contract.transport.bench import eventually
from tests.integration.runtime.world import World

pytestmark = pytest.mark.integration


@pytest.mark.chaos
def test_a_worker_killed_in_its_transaction_and_started_again_loses_and_doubles_nothing(world: World) -> None:
    world.stall_file.touch()
    world.feed(200)
    first = world.start(stall="commit")
    world.await_stalled("0")
    first.kill()
    first.wait(10)
    world.stall_file.unlink()
    second = world.start()
    assert world.settled() == world.fed
    second.kill()
    second.wait(10)
    shutil.rmtree(world.data("0") / "store")
    world.feed(200)
    world.start()
    assert world.settled() == world.fed


@pytest.mark.chaos
@pytest.mark.parametrize("point", ["process", "commit"])
def test_a_worker_frozen_past_its_session_adds_nothing_when_it_wakes_after_the_take_over(
    world: World, point: str
) -> None:
    world.stall_file.touch()
    world.feed(200)
    zombie = world.start("0", stall=point)
    world.await_stalled("0")
    zombie.send_signal(signal.SIGSTOP)
    world.stall_file.unlink()
    world.start("1")
    assert world.settled() == world.fed
    zombie.send_signal(signal.SIGCONT)
    world.feed(200)
    assert world.settled() == world.fed
    assert zombie.poll() in (None, ExitCode.FENCED, ExitCode.STOPPED)
    if zombie.poll() is None:
        zombie.terminate()
        assert zombie.wait(20) == ExitCode.DONE


def test_a_second_process_of_the_same_slot_ends_the_first_with_the_code_for_it(world: World) -> None:
    world.feed(8)
    first = world.start("0")
    assert world.settled() == world.fed
    world.start("0", machine="another")
    assert first.wait(30) == ExitCode.FENCED
    world.feed(8)
    assert world.settled() == world.fed
    assert "--slot" in world.log("0").read_text()


def test_a_restore_sees_the_rows_of_a_transaction_whose_commit_is_still_under_way(world: World) -> None:
    """KAFKA-10167: up to the stable end alone, the newest row would be missing and its count would be given twice."""
    world.feed(8)
    first = world.worker()
    world.run(first, world.counted)
    first.close()
    elder = world.transport.producer(f"elder-{world.name}")
    elder.begin()
    elder.send(Output(world.topic("state"), 0, b"k0", b"41", []))
    tp = TopicPartition(world.topic("state"), 0)
    reader = world.transport.reader()
    eventually(lambda: reader.ends([tp], uncommitted=True) != reader.ends([tp]))
    second = world.worker()
    restoring = threading.Thread(target=lambda: world.run(second, lambda: bool(second.assignment.tasks)), daemon=True)
    restoring.start()
    restoring.join(1.5)
    assert restoring.is_alive()
    elder.commit()
    restoring.join(20)
    assert second.assignment.tasks[0].get("counts", b"k0") == b"41"
    elder.close()
    reader.close()


def test_positions_that_were_deleted_beside_a_state_stop_the_worker(world: World) -> None:
    world.feed(8)
    engines = MemoryEngines()
    first = world.worker(engines)
    world.run(first, world.counted)
    first.close()
    client = KafkaAdminClient(bootstrap_servers=world.bootstrap)
    client.delete_group_offsets(
        f"cpor.count-{world.name}", [ClientTP(world.topic("in"), 0), ClientTP(world.topic("in"), 1)]
    )
    client.close()
    second = world.worker(engines)
    with pytest.raises(LostState, match=world.topic("in")):
        world.run(second, lambda: False)


def settled(worker: Worker, seconds: float = 2.0) -> int:
    """The generation once it has stood for a while: news of the slots topic itself may bring a second join."""
    generation, since = worker.assignment._membership.generation(), time.monotonic()
    while time.monotonic() - since < seconds:
        worker.step()
        if worker.assignment._membership.generation() != generation:
            generation, since = worker.assignment._membership.generation(), time.monotonic()
    return generation


def test_a_topic_that_appears_later_is_read_from_its_beginning_without_a_rebalance(world: World) -> None:
    """P11: the subscription is fixed, what changes is read by assign()."""
    from cpor.runtime.topics import Count, TopicSpec

    world.feed(8)
    worker = world.worker()
    world.run(worker, world.counted)
    generation = settled(worker)
    world.admin.create([TopicSpec(world.topic("later"), Count.CLAIMS)], {"claims": 2})
    world.feed(16, kind="later")
    world.run(worker, world.counted)
    assert world.told() == world.fed
    assert worker.assignment._membership.generation() == generation


def test_timers_fire_once_also_over_a_restart_with_an_empty_store(world: World) -> None:
    world.feed(8, "alarm 1500")
    first = world.worker()
    world.run(first, world.counted)
    first.close()
    second = world.worker(MemoryEngines())
    world.run(second, lambda: len(world.told("fired")) == 8)
    assert world.settled("fired") == {f"k{n}": ["1"] for n in range(8)}


def test_positions_pass_the_markers_of_others_when_nothing_else_comes(world: World) -> None:
    world.feed(8)
    worker = world.worker()
    world.run(worker, world.counted)
    stranger = world.transport.producer(f"stranger-{world.name}")
    stranger.begin()
    stranger.send(Output(world.topic("in"), 0, b"k0", b"count", []))
    tp = TopicPartition(world.topic("in"), 0)
    reader = world.transport.reader()
    eventually(lambda: reader.ends([tp], uncommitted=True) != reader.ends([tp]))
    stranger.abort()
    world.run(worker, lambda: worker.assignment.committed[tp] == reader.ends([tp])[tp])
    assert world.told() == world.fed
    stranger.close()
    reader.close()
