"""One task: a slot's rows, and the overlay of a round on top of them.

Everything a round changes stays in the overlay until its transaction has committed; a failed round is forgotten by
dropping it. Within a round each record has a savepoint, so that a record that turns out to be poison leaves nothing
behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cpor.runtime.processor import StateTable, Timer
from cpor.runtime.record import Output, Record
from cpor.runtime.store.rows import ABSENT, Place, Rows, Table, encode_timer, identity_of, timer_identity


class Task:
    """`Context` for the records and timers of one slot."""

    def __init__(self, partition: int, rows: Rows, everywhere: Rows, timers_topic: str | None) -> None:
        self.partition = partition
        self.now = 0
        self.rows = rows
        self.everywhere = everywhere
        self.outputs: list[Output] = []
        self.facts: Callable[[Record], Any | None] = lambda record: None
        self._timers_topic = timers_topic
        self._changed: dict[Place, Any] = {}
        self._written: set[str] = set()
        self._indexed: dict[tuple[str, bytes], set[bytes]] = {}
        self._timers: dict[bytes, Timer | None] = {}
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self._mark = 0

    # -- Context --------------------------------------------------------------------------------------------------

    def get(self, table: str, key: bytes) -> Any | None:
        found = self._changed.get((table, key), ABSENT)
        return self._home(table).get(table, key) if found is ABSENT else found

    def put(self, table: str, key: bytes, row: Any) -> None:
        self._change(self._changed, (table, key), row)
        self._written.add(table)
        for index in self.rows.tables[table].indexes:
            for index_key in index.keys(key, row):
                self._indexed.setdefault((index.name, index_key), set()).add(key)

    def delete(self, table: str, key: bytes) -> None:
        self._change(self._changed, (table, key), None)
        self._written.add(table)

    def find(self, index: str, key: bytes) -> Sequence[tuple[bytes, Any]]:
        home = self.rows if self.rows.has_index(index) else self.everywhere
        table, how = home.index_of(index)
        candidates = set(home.indexed(index, key)) | self._indexed.get((index, key), set())
        found = ((row_key, self.get(table.name, row_key)) for row_key in sorted(candidates))
        return [(row_key, row) for row_key, row in found if row is not None and key in how.keys(row_key, row)]

    def emit(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        self.outputs.append(Output(topic, partition, key, value, headers))

    def set_timer(self, timer: Timer) -> None:
        self._change(self._timers, identity_of(timer), timer)

    def cancel_timer(self, claim: str, clock: str, started_by: int, rung: int = 0) -> None:
        self._change(self._timers, timer_identity(claim, clock, started_by, rung), None)

    def prepared(self, record: Record) -> Any | None:
        return self.facts(record)

    # -- the kernel's side ----------------------------------------------------------------------------------------

    def _home(self, table: str) -> Rows:
        return self.rows if table in self.rows.tables else self.everywhere

    def _change(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((where, key, where.get(key, ABSENT)))
        where[key] = value

    def savepoint(self) -> None:
        """Everything so far stands; what follows can be rolled back."""
        self._undo.clear()
        self._mark = len(self.outputs)

    def roll_back(self) -> None:
        """Forget everything since the savepoint."""
        for where, key, before in reversed(self._undo):
            if before is ABSENT:
                where.pop(key, None)
            else:
                where[key] = before
        self._undo.clear()
        del self.outputs[self._mark :]

    def is_free_of(self, table: str) -> bool:
        """Whether a state table has no row and none was written in this round: spares each record a look-up."""
        return table not in self._written and self.rows.is_vacant(table)

    def drop(self) -> None:
        """Forget the round."""
        self.outputs = []
        self._changed = {}
        self._written = set()
        self._indexed = {}
        self._timers = {}
        self._undo = []
        self._mark = 0

    def due(self, now: int, most: int) -> list[Timer]:
        """Timers due at `now` in order, those of this round included, those it cancelled or moved left out."""
        standing = [
            t for t in self.rows.due_timers(now, most + len(self._timers)) if identity_of(t) not in self._timers
        ]
        fresh = [t for t in self._timers.values() if t is not None and t.due <= now]
        return sorted(standing + fresh)[:most]

    def standing(self, listed: Timer) -> Timer | None:
        """A timer that `due` listed as it stands now; None where this round has moved or cancelled it since."""
        identity = identity_of(listed)
        current = self._timers[identity] if identity in self._timers else self.rows.timer(identity)
        return current if current == listed else None

    def state_outputs(self) -> tuple[list[Output], dict[bytes, bytes | None]]:
        """The newest rows and timers of this round: as records to send, and as writes for the store."""
        outputs: list[Output] = []
        writes: dict[bytes, bytes | None] = {}
        for (name, key), row in self._changed.items():
            table = self.rows.tables[name]
            assert isinstance(table, StateTable)
            value = None if row is None else table.encode(row)
            headers = table.headers(key, row) if table.headers is not None else []
            outputs.append(Output(table.topic, self.partition, key, value, headers))
            writes |= self.rows.row_changes(table, key, value, row)
        for identity, timer in self._timers.items():
            assert self._timers_topic is not None
            value = None if timer is None else encode_timer(timer)
            outputs.append(Output(self._timers_topic, self.partition, identity, value, []))
            writes |= self.rows.timer_changes(identity, timer)
        return outputs, writes

    def commit(self, writes: dict[bytes, bytes | None]) -> None:
        """The transaction is through: make the overlay the committed rows."""
        if writes:
            self.rows.write(writes, self._changed)
        self.drop()

    def table(self, name: str) -> Table:
        return self._home(name).tables[name]
