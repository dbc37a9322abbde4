"""Review's rules on Quix Streams, exactly-once: what the kernel is measured against.

It is the same work: the whole of `Review.process` (reading and validating the command, facts, decide, event, receipt)
runs unchanged; only what carries it is Quix: its consumer, its transactions, its state store (RocksDB) with its
changelog. Where there was a choice it was made in Quix's favour:

- the newest snapshot of each claim and checkpoint goes to Quix's changelog alone; ours has the contract's headers too;
- rows are kept as bytes and decoded once (a cache keyed by the bytes themselves, which a rebalance cannot make stale);
- the partner and the customers are a dictionary read beforehand; our kernel looks for new ones before every round;
- there are no dead letters, parking, timers, indexes or held partitions.

A checkpoint is due after as many records as one of our rounds takes, or a second.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quixstreams import Application, message_context
from quixstreams.checkpointing import Checkpoint
from quixstreams.models.serializers import Serializer

from bench.contender import Backlog, Run
from cpor.domain import wire
from cpor.domain.model import ClaimState
from cpor.runtime.clock import wall_ms
from cpor.runtime.processor import Context, Timer
from cpor.runtime.record import Output, Record
from cpor.runtime.settings import CLAIMS_PARTITIONS
from cpor.runtime.worker import Limits
from services.review.tables import CLAIMS
from services.review.worker import Review

COMMIT_SECONDS = 1.0
CACHED_STATES = 50_000


class States:
    """Claims by their bytes, as many as our kernel keeps decoded."""

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, ClaimState] = OrderedDict()

    def decoded(self, value: bytes) -> ClaimState:
        found = self._held.get(value)
        return self.keep(value, wire.decode_state(value)) if found is None else found

    def keep(self, value: bytes, state: ClaimState) -> ClaimState:
        self._held[value] = state
        if len(self._held) > CACHED_STATES:
            self._held.popitem(last=False)
        return state


class QuixContext(Context):
    """What a processor sees of one record: its key's part of Quix's state, reference rows, a list for what it emits."""

    def __init__(self, partition: int, state: Any, states: States, reference: Mapping[tuple[str, bytes], Any]) -> None:
        self.partition = partition
        self.now = wall_ms()
        self.outputs: list[Output] = []
        self._state = state
        self._states = states
        self._reference = reference

    def get(self, table: str, key: bytes) -> Any | None:
        if table != CLAIMS:
            return self._reference.get((table, key))
        value = self._state.get_bytes(key.decode())
        return None if value is None else self._states.decoded(value)

    def put(self, table: str, key: bytes, row: Any) -> None:
        value = wire.encode(row)
        self._state.set_bytes(key.decode(), value)
        self._states.keep(value, row)

    def delete(self, table: str, key: bytes) -> None:
        self._state.delete(key.decode())

    def find(self, index: str, key: bytes) -> Sequence[tuple[bytes, Any]]:
        """The backlog holds drafts and comments on them: nothing of it is in an index."""
        return ()

    def emit(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        self.outputs.append(Output(topic, partition, key, value, headers))

    def set_timer(self, timer: Timer) -> None:
        raise NotImplementedError("review has no timers")

    def cancel_timer(self, claim: str, clock: str, started_by: int, rung: int = 0) -> None:
        raise NotImplementedError("review has no timers")

    def prepared(self, record: Record) -> Any | None:
        return None


class ValueOnly(Serializer):  # type: ignore[misc]  # published without types
    """Key and headers of an output are set beside it."""

    def __call__(self, value: Output, ctx: Any) -> bytes | None:
        return value.value


class QuixReview:
    """One application over the backlog's topics; `run` returns when all of it is committed."""

    def __init__(self, backlog: Backlog, home: Path) -> None:
        self._backlog = backlog
        self._rules = Review(CLAIMS_PARTITIONS)
        self._states = States()
        self._reference = backlog.reference()
        self._left = backlog.commands
        self._began: tuple[float, float] | None = None
        self._app = Application(
            broker_address=backlog.bootstrap,
            consumer_group=f"{backlog.prefix}quix",
            auto_offset_reset="earliest",
            processing_guarantee="exactly-once",
            commit_every=Limits().records,
            commit_interval=COMMIT_SECONDS,
            state_dir=home / "quix",
            producer_extra_config={"linger.ms": 5},
            loglevel="WARNING",
            on_message_processed=self._count,
        )
        self._topics = {name: self._topic(place) for name, place in backlog.outputs().items()}
        self._frame()

    def _topic(self, name: str) -> Any:
        return self._app.topic(name, key_serializer="bytes", value_serializer=ValueOnly())

    def _frame(self) -> None:
        source = self._app.topic(self._backlog.source, key_deserializer="bytes", value_deserializer="bytes")
        decided = self._app.dataframe(source).apply(self._decide, stateful=True, metadata=True, expand=True)
        headed = decided.set_headers(lambda output, key, timestamp, headers: output.headers)
        headed.to_topic(
            lambda output, key, timestamp, headers: self._topics[output.topic], key=lambda output: output.key
        )

    def _decide(self, value: bytes, key: bytes, timestamp: int, headers: Any, state: Any) -> list[Output]:
        if self._began is None:
            self._began = (time.monotonic(), time.process_time())
        place = message_context()
        record = Record(place.topic, place.partition, place.offset, timestamp, key, value, tuple(headers or ()))
        context = QuixContext(place.partition, state, self._states, self._reference)
        self._rules.process(context, record)
        return context.outputs

    def _count(self, topic: str, partition: int, offset: int) -> None:
        self._left -= 1
        if self._left == 0:
            self._app.stop()

    def run(self) -> Run:
        """From the first record to the end of the last checkpoint, the write to the store included."""
        commits: list[tuple[float, float]] = []
        with_clock(Checkpoint, lambda: commits.append((time.monotonic(), time.process_time())))
        self._app.run()
        assert self._began is not None, "there was a first record"
        wall, cpu = commits[-1]
        return Run("quix", self._backlog.commands, wall - self._began[0], cpu - self._began[1], len(commits))


def with_clock(kind: Any, tick: Callable[[], None]) -> None:
    """Have `tick` called after every commit of a checkpoint."""
    commit = kind.commit

    def timed(checkpoint: Any, *arguments: Any, **options: Any) -> None:
        commit(checkpoint, *arguments, **options)
        tick()

    kind.commit = timed
