"""What a task keeps in its engine: rows of tables, index entries, timers and checkpoints, each in a key space of its
own.

r NUL table NUL key             a row's bytes
x NUL index NUL key NUL row key an index entry (empty)
t NUL due identity              a timer's data, in order of its due instant
u NUL identity                  the due instant under which a timer stands
c NUL topic NUL partition       how far the rows of a topic's partition have been read
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from cpor.runtime.processor import Index, ReferenceTable, StateTable, Timer
from cpor.runtime.record import TopicPartition
from cpor.runtime.store.engine import Engine
from cpor.runtime.topics import MIB

Table = StateTable | ReferenceTable
Place = tuple[str, bytes]
#: What `RowCache.get` gives for a row that it does not hold; None is a row that does not exist.
ABSENT = object()
_DUE = struct.Struct(">Q")
#: Rows deleted by one write: a store may hold more than fits into memory.
FORGET = 1_000


class Checkpoint(NamedTuple):
    """Rows of a topic's partition are in the store up to `offset`; valid for this topic of this cluster only."""

    offset: int
    topic_id: str
    cluster_id: str
    wall: int

    def encoded(self) -> bytes:
        return json.dumps(self).encode()

    @classmethod
    def decoded(cls, value: bytes) -> Checkpoint:
        return cls(*json.loads(value))


def timer_identity(claim: str, clock: str, started_by: int, rung: int) -> bytes:
    """A timer's key on its topic and in the store."""
    return f"{claim}|{clock}|{started_by}|{rung}".encode()


def identity_of(timer: Timer) -> bytes:
    return timer_identity(timer.claim, timer.clock, timer.started_by, timer.rung)


def encode_timer(timer: Timer) -> bytes:
    """The value of a timer's record: its due instant (8 bytes, big endian) and its data."""
    return _DUE.pack(timer.due) + timer.data


def decode_timer(identity: bytes, value: bytes) -> Timer:
    claim, clock, started_by, rung = identity.decode().rsplit("|", 3)
    return Timer(_DUE.unpack_from(value)[0], claim, clock, int(started_by), int(rung), value[_DUE.size :])


def row_key(table: str, key: bytes) -> bytes:
    return b"r\0%b\0%b" % (table.encode(), key)


class RowCache:
    """Decoded rows, bounded by the bytes that they were decoded from (decoded they take some times as much).

    Two generations: what was used since the younger one began is kept when the elder one is let go.
    """

    #: Of one generation, where nobody says otherwise; a process has a store for each slot.
    BYTES = 8 * MIB
    #: What a row costs beside its bytes.
    EACH = 200

    def __init__(self) -> None:
        self._young: dict[Place, tuple[Any, int]] = {}
        self._old: dict[Place, tuple[Any, int]] = {}
        self._bytes = 0
        self.most = self.BYTES

    def get(self, place: Place) -> Any:
        found = self._young.get(place)
        if found is None:
            found = self._old.pop(place, None)
            if found is None:
                return ABSENT
            self.put(place, *found)
        return found[0]

    def put(self, place: Place, row: Any, size: int) -> None:
        if self._bytes > self.most:
            self._young, self._old, self._bytes = {}, self._young, 0
        before = self._young.get(place)
        self._bytes += size + self.EACH if before is None else size - before[1]
        self._young[place] = (row, size)

    def drop(self, place: Place) -> None:
        self._young.pop(place, None)
        self._old.pop(place, None)

    def clear(self) -> None:
        self._young, self._old, self._bytes = {}, {}, 0


class Rows:
    """The committed rows of one task (or of the global tables), decoded through their tables."""

    def __init__(self, engine: Engine, tables: Iterable[Table]) -> None:
        self.engine = engine
        self.tables: dict[str, Table] = {table.name: table for table in tables}
        self._indexes: dict[str, tuple[Table, Index]] = {
            index.name: (table, index) for table in self.tables.values() for index in table.indexes
        }
        self._cache = RowCache()
        self._vacant: dict[str, bool] = {}

    def hold(self, most: int) -> None:
        """Keep no more than `most` bytes (of either generation) of decoded rows."""
        self._cache.most = most

    def get(self, table: str, key: bytes) -> Any | None:
        """The committed row or None."""
        place = (table, key)
        row = self._cache.get(place)
        if row is ABSENT:
            found = self.engine.get(row_key(table, key))
            row = None if found is None else self.tables[table].decode(found)
            self._cache.put(place, row, len(found or b""))
        return row

    def all(self, table: str) -> Iterator[tuple[bytes, Any]]:
        """Every row of a table in order of its key."""
        prefix = b"r\0%b\0" % table.encode()
        decode = self.tables[table].decode
        for key, value in self.engine.scan(prefix):
            yield key[len(prefix) :], decode(value)

    def is_vacant(self, table: str) -> bool:
        """Whether the table has no row at all; looked up once, until a row of it is written."""
        found = self._vacant.get(table)
        if found is None:
            found = self._vacant[table] = next(iter(self.engine.scan(row_key(table, b""))), None) is None
        return found

    def has_index(self, index: str) -> bool:
        return index in self._indexes

    def index_of(self, index: str) -> tuple[Table, Index]:
        return self._indexes[index]

    def indexed(self, index: str, key: bytes) -> list[bytes]:
        """Keys of the committed rows under an index key."""
        prefix = b"x\0%b\0%b\0" % (index.encode(), key)
        return [found[len(prefix) :] for found, _ in self.engine.scan(prefix)]

    def row_changes(self, table: Table, key: bytes, value: bytes | None, row: Any | None) -> dict[bytes, bytes | None]:
        """The writes that make `row` (its bytes are `value`; None deletes) the row of `key`, index entries included."""
        changes: dict[bytes, bytes | None] = {row_key(table.name, key): value}
        if table.indexes:
            before = self.get(table.name, key)
            for index in table.indexes:
                changes |= self._index_changes(index, key, before, row)
        return changes

    def _index_changes(self, index: Index, key: bytes, before: Any, after: Any) -> dict[bytes, bytes | None]:
        old = set() if before is None else set(index.keys(key, before))
        new = set() if after is None else set(index.keys(key, after))
        entry = b"x\0%b\0%%b\0%%b" % index.name.encode()
        gone: dict[bytes, bytes | None] = {entry % (ikey, key): None for ikey in old - new}
        return gone | {entry % (ikey, key): b"" for ikey in new - old}

    def restore(self, table: Table, key: bytes, value: bytes | None) -> None:
        """Make `value` the row of `key` (None deletes). Decoded only where index entries hang on it."""
        row = None if value is None or not table.indexes else table.decode(value)
        self.engine.write(self.row_changes(table, key, value, row))
        self._cache.drop((table.name, key))
        self._vacant.pop(table.name, None)

    def write(self, changes: dict[bytes, bytes | None], rows: dict[Place, Any]) -> None:
        """Write atomically; `rows` are the decoded rows among the changes."""
        self.engine.write(changes)
        for place, row in rows.items():
            self._cache.put(place, row, len(changes.get(row_key(*place)) or b""))
            self._vacant.pop(place[0], None)

    def checkpoint(self, tp: TopicPartition) -> Checkpoint | None:
        found = self.engine.get(checkpoint_key(tp))
        return None if found is None else Checkpoint.decoded(found)

    def forget(self, prefixes: Iterable[bytes]) -> None:
        """Delete key spaces before a rebuild."""
        self._cache.clear()
        self._vacant.clear()
        for prefix in prefixes:
            keys = (key for key, _ in self.engine.scan(prefix))
            while some := list(islice(keys, FORGET)):
                self.engine.write(dict.fromkeys(some))

    def forget_table(self, table: Table) -> None:
        name = table.name.encode()
        self.forget([b"r\0%b\0" % name, *(b"x\0%b\0" % index.name.encode() for index in table.indexes)])

    # -- timers ---------------------------------------------------------------------------------------------------

    def timer(self, identity: bytes) -> Timer | None:
        due = self.engine.get(b"u\0" + identity)
        if due is None:
            return None
        data = self.engine.get(b"t\0" + due + identity)
        return decode_timer(identity, due + (data or b""))

    def due_timers(self, now: int, most: int) -> list[Timer]:
        """Timers due at `now`, in order of their due instant."""
        found: list[Timer] = []
        for key, data in self.engine.scan(b"t\0"):
            due = key[2 : 2 + _DUE.size]
            if _DUE.unpack(due)[0] > now or len(found) >= most:
                break
            found.append(decode_timer(key[2 + _DUE.size :], due + data))
        return found

    def next_due(self) -> int | None:
        """When the earliest timer is due, ms; None where none stands."""
        first = next(iter(self.engine.scan(b"t\0")), None)
        return None if first is None else int(_DUE.unpack(first[0][2 : 2 + _DUE.size])[0])

    def timer_changes(self, identity: bytes, timer: Timer | None) -> dict[bytes, bytes | None]:
        """The writes that set (or, None, remove) a timer."""
        changes: dict[bytes, bytes | None] = {}
        before = self.engine.get(b"u\0" + identity)
        if before is not None:
            changes[b"t\0" + before + identity] = None
            changes[b"u\0" + identity] = None
        if timer is not None:
            due = _DUE.pack(timer.due)
            changes[b"t\0" + due + identity] = timer.data
            changes[b"u\0" + identity] = due
        return changes


def checkpoint_key(tp: TopicPartition) -> bytes:
    return f"c\0{tp.topic}\0{tp.partition}".encode()


def checkpoint_change(tp: TopicPartition, checkpoint: Checkpoint) -> dict[bytes, bytes | None]:
    return {checkpoint_key(tp): checkpoint.encoded()}
