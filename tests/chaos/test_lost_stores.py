"""A store is a cache: whoever loses it goes on with the same answers, for the topics are the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cpor.domain.ids import receipt_id
from cpor.ops.rest import resting
from cpor.ops.running import Running, await_ready
from cpor.runtime.record import Output
from cpor.runtime.topics import Count
from tests.chaos.instance import counts_of, introduce, lose_store, own_instance, send, whole_log
from tests.chaos.material import customers, put_document
from tests.chaos.memory import SIZE, Schedule, control, played
from tests.chaos.outcome import assert_sound, outcome_of
from tests.chaos.story import PARTNERS, Said, story, tenants_of

pytestmark = pytest.mark.chaos

SEED = 3
SESSION_MS = 10_000
Losses = dict[int, tuple[str, ...]]
#: In the middle of which stage who loses its store.
LOSSES: Losses = {1: ("review-0",), 2: ("intake-1",), 4: ("intake-0", "intake-1", "review-0", "review-1")}


@pytest.mark.parametrize("stage", range(1, 7))
@pytest.mark.parametrize("which", [0, 1, None], ids=["intake's", "review's", "all"])
def test_stores_lost_between_two_stages_change_nothing_in_memory(stage: int, which: int | None) -> None:
    found = played(SEED, Schedule(seed=stage, lost=((stage, which),)))
    assert found.deaths
    assert found.outcome.differences(control(SEED).outcome) == []


@pytest.mark.timeout(300)
def test_stores_deleted_in_mid_run_on_one_and_on_all_workers_change_nothing(tmp_path: Path) -> None:
    """Real brokers, stores and processes. The control run of the same log is one on the twin in memory, undisturbed.

    All is compared but the brokers' times and the objects' versions, also what is derived from the places of records.
    """
    with own_instance(tmp_path, workers=2, session_ms=SESSION_MS) as running:
        counts = counts_of(running)
        introduce(running, PARTNERS, customers(tenants_of(*SIZE), counts[Count.CLAIMS]))
        for partner in PARTNERS:
            put_document(running.instance.endpoints, partner)
        sent = list(_played(running, LOSSES))
        log = whole_log(running, PARTNERS)
    assert_sound(log, sent)
    twin = played(SEED, Schedule(counts=(counts[Count.CLAIMS], counts[Count.PARTNERS]), stage_ms=1_000))
    assert outcome_of(log, timeless=True).differences(outcome_of(twin.log, timeless=True)) == []


def _played(running: Running, losses: Losses) -> Iterator[str]:
    """The ids of the receipts that must come."""
    counts = counts_of(running)
    with resting(running.instance) as rest:
        for number, stage in enumerate(story(SEED, *SIZE)):
            outputs = [word.output(counts[Count.CLAIMS], counts[Count.PARTNERS]) for word in stage]
            half = len(outputs) // 2
            offsets = send(running, outputs[:half])
            for name in losses.get(number, ()):
                lose_store(running, *name.split("-"))
            offsets += send(running, outputs[half:])
            await_ready(running)
            rest.wait(running.instance.clock.now())
            for word, output, offset in zip(stage, outputs, offsets, strict=True):
                if isinstance(word, Said):
                    yield _receipt(output, offset)


def _receipt(output: Output, offset: int) -> str:
    return receipt_id(output.topic, output.partition, offset)
