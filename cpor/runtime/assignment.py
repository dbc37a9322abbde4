"""Which slots this process owns, and getting their stores ready.

A worker is a static member of its group on one fixed slots topic; the sources are read by `assign()`, so that
partners can come and go without a rebalance (P11). Ranges of slots are what the range assignor gives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import structlog

from cpor.runtime.errors import LostState, Misconfigured
from cpor.runtime.processor import Processor, StateTable
from cpor.runtime.record import TopicPartition
from cpor.runtime.restore import Feed, Origin, Restorer, feeds_of
from cpor.runtime.store.engine import Engines
from cpor.runtime.store.rows import Rows
from cpor.runtime.task import Task
from cpor.runtime.topics import MIB
from cpor.runtime.transport.port import Admin, Membership, Reader, Token

log = structlog.get_logger("cpor.runtime")

PARKED_TABLE = "parked"
GLOBAL = "global"
#: Decoded rows that all slots of a process keep together, bytes of either generation: see `RowCache`.
CACHED = 64 * MIB


class Assignment:
    """The tasks of this process, keyed by slot, and the sources that feed them."""

    def __init__(
        self,
        processor: Processor,
        engines: Engines,
        membership: Membership,
        reader: Reader,
        tables_reader: Reader,
        admin: Admin,
        alive: Callable[[], None],
    ) -> None:
        self.tasks: dict[int, Task] = {}
        self.slot_of: dict[TopicPartition, int] = {}
        self.committed: dict[TopicPartition, int] = {}
        #: Sources whose position the group has never committed.
        self.without_position: set[TopicPartition] = set()
        self._processor = processor
        self._engines = engines
        self._membership = membership
        self._reader = reader
        self._admin = admin
        self._cluster_id = admin.cluster_id()
        self._topic_ids: dict[str, str] = {}
        self._generation = -1
        self._tables_reader = tables_reader
        self._restorer = Restorer(tables_reader, self._origin, alive)
        self._global = Rows(engines.open(GLOBAL), [t for t in processor.reference_tables if t.everywhere])
        self._open: dict[int, Rows] = {}
        self._counts = admin.partition_counts()
        self._source_ids: dict[str, str] = {}
        self._check_topics()
        self._check_sources()

    # -- what there is --------------------------------------------------------------------------------------------

    def _check_topics(self) -> None:
        slots = self._count_of(self._processor.slots_topic)
        local = [t.topic for t in self._processor.reference_tables if not t.everywhere]
        timers = [topic for topic in (self._processor.timers_topic,) if topic is not None]
        for topic in [*(t.topic for t in self._state_tables()), *timers, *local]:
            if self._count_of(topic) != slots:
                raise Misconfigured("co-partitioned topics need equal partition counts", topic=topic, slots=slots)

    def _check_sources(self) -> None:
        """Raises Misconfigured where a partition would be read by nobody, or by two."""
        slots = self._count_of(self._processor.slots_topic)
        for topic in self._processor.sources(self._counts):
            count = self._count_of(topic)
            read = [p for slot in range(slots) for p in self._processor.partitions_of(topic, slot, count)]
            if sorted(read) != list(range(count)):
                raise Misconfigured(
                    "a source's partitions do not fit the slots", topic=topic, partitions=count, slots=slots
                )

    def _count_of(self, topic: str) -> int:
        count = self._counts.get(topic)
        if count is None:
            raise Misconfigured("a topic is missing: create the topics first", topic=topic)
        return count

    def _state_tables(self) -> tuple[StateTable, ...]:
        parked = self._processor.parked_topic
        return (*self._processor.state_tables, *((StateTable(PARKED_TABLE, parked),) if parked is not None else ()))

    def _origin(self, topics: Iterable[str]) -> Origin:
        missing = [topic for topic in topics if topic not in self._topic_ids]
        self._topic_ids |= self._admin.topic_ids(missing) if missing else {}
        return Origin(self._cluster_id, self._topic_ids)

    # -- following the group --------------------------------------------------------------------------------------

    def poll(self) -> bool:
        """Follow the group; False while it rebalances. After True tasks are restored and their sources positioned.

        Both are read anew after a new generation, and after `give_up`.
        """
        slots = self._membership.poll()
        if slots is None:
            return False
        generation = self._membership.generation()
        if generation != self._generation or slots != set(self.tasks):
            self._move(slots)
            if self._membership.generation() != generation:
                return False
            self._generation = generation
            self._token = self._membership.token()
            log.info("assigned", service=self._processor.service, slots=sorted(slots), generation=generation)
        return True

    def _move(self, slots: frozenset[int]) -> None:
        for slot in set(self._open) - slots:
            self._open.pop(slot).engine.close()
        self.tasks = {}
        self._load(sorted(slots))

    def _load(self, slots: list[int]) -> None:
        """Positions first, then state (KAFKA-10167)."""
        sources = self._sources(slots)
        self._source_ids = self._ids_of(sources)
        self.without_position = set()
        self.committed = self._positions(sources)
        self._restore(slots)
        self.slot_of = sources
        self._refuse_lost_positions()
        self._reader.assign(self.committed)

    def _sources(self, slots: Iterable[int]) -> dict[TopicPartition, int]:
        found: dict[TopicPartition, int] = {}
        for topic in self._processor.sources(self._counts):
            count = self._count_of(topic)
            for slot in slots:
                for partition in self._processor.partitions_of(topic, slot, count):
                    found[TopicPartition(topic, partition)] = slot
        return found

    def _ids_of(self, sources: Iterable[TopicPartition]) -> dict[str, str]:
        return self._admin.topic_ids({tp.topic for tp in sources})

    def _positions(self, sources: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        committed = self._membership.committed(sources)
        unknown = [tp for tp, offset in committed.items() if offset is None]
        self.without_position.update(unknown)
        first = self._reader.beginnings(unknown) if unknown else {}
        known = {tp: offset for tp, offset in committed.items() if offset is not None}
        return first | known | self._started_over(known)

    def _started_over(self, known: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Partners' topics are read on from their first record where the position no longer exists: one partner whose
        topic was made anew, or has lost records to its retention, must not stop the rest.
        """
        tps = [tp for tp in known if self._processor.appears_later(tp.topic)]
        firsts = self._reader.beginnings(tps) if tps else {}
        ends = self._reader.ends(tps, uncommitted=True) if tps else {}
        lost = {tp: first for tp, first in firsts.items() if not first <= known[tp] <= ends[tp]}
        for tp, first in lost.items():
            log.error("a partner's position is gone: reading on", source=str(tp), position=known[tp], first=first)
        return lost

    def _refuse_lost_positions(self) -> None:
        for tp in self.without_position:
            if not self._processor.appears_later(tp.topic) and not self._is_new(self.slot_of[tp]):
                raise LostState(source=str(tp))

    def _is_new(self, slot: int) -> bool:
        own = self.tasks[slot].rows
        return all(next(own.all(table.name), None) is None for table in self._state_tables())

    def _restore(self, slots: Collection[int]) -> None:
        processor = self._processor
        state: list[Feed] = []
        tables: list[Feed] = []
        for slot in slots:
            rows = self._rows(slot)
            rows.hold(CACHED // len(slots))
            self.tasks[slot] = Task(slot, rows, self._global, processor.timers_topic)
            for feed in feeds_of(rows, slot, processor.timers_topic):
                own = feed.table is None or isinstance(feed.table, StateTable)
                (state if own else tables).append(feed)
        for table in self._global.tables.values():
            count = self._count_of(table.topic)
            tables += [f for p in range(count) for f in feeds_of(self._global, p, None) if f.table is table]
        self._restorer.follow([*state, *tables])
        self._restorer.catch_up([feed.tp for feed in state], uncommitted=True)
        self._restorer.follow(tables)
        self._restorer.catch_up()

    def _rows(self, slot: int) -> Rows:
        if slot not in self._open:
            local = [t for t in self._processor.reference_tables if not t.everywhere]
            self._open[slot] = Rows(self._engines.open(str(slot)), [*self._state_tables(), *local])
        return self._open[slot]

    def token(self) -> Token:
        """The membership as of the generation the tasks were restored in; an older one is refused by the broker."""
        return self._token

    def confirm(self) -> None:
        """Ask the group whether this member still is who it was. Raises Fenced where another process has its name."""
        self._membership.poll()

    def give_up(self) -> None:
        """Hold nothing until the group says what is ours: it has moved on, or a round's end is not known."""
        self.tasks = {}
        self.slot_of = {}
        self.committed = {}
        self.without_position = set()
        self._generation = -1
        self._reader.assign({})

    # -- while running --------------------------------------------------------------------------------------------

    def refresh_tables(self) -> None:
        """Read the reference tables to their ends as of now."""
        if self._processor.reference_tables:
            self._restorer.catch_up()

    def refresh_sources(self) -> None:
        """Begin to read source topics that appeared since or were made anew; let go of those that are gone."""
        self._counts = self._admin.partition_counts()
        self._check_sources()
        wanted = self._sources(self.tasks)
        ids, before = self._ids_of(wanted), self._source_ids
        fresh = {tp for tp in wanted if tp not in self.slot_of or ids.get(tp.topic) != before.get(tp.topic)}
        gone = self.slot_of.keys() - wanted.keys()
        self._source_ids = ids
        if fresh or gone:
            self._follow(wanted, fresh)
            told = {name: sorted({tp.topic for tp in tps}) for name, tps in (("fresh", fresh), ("gone", gone))}
            log.info("sources changed", **told)

    def _follow(self, wanted: dict[TopicPartition, int], fresh: set[TopicPartition]) -> None:
        """Read `wanted`, the `fresh` ones among them from the group's positions."""
        kept = {tp: self._reader.position(tp) for tp in wanted if tp not in fresh}
        self.without_position = {tp for tp in self.without_position if tp in kept}
        found = self._positions(fresh)
        self.committed = {tp: self.committed[tp] for tp in kept} | found
        self.slot_of = wanted
        self._refuse_lost_positions()
        self._reader.assign(kept | found)

    def origin(self, topics: Iterable[str]) -> Origin:
        """For checkpoints of topics this worker writes."""
        return self._origin(topics)

    def close(self) -> None:
        for rows in (*self._open.values(), self._global):
            rows.engine.close()
        self._tables_reader.close()
        self._membership.close()
        self._admin.close()
