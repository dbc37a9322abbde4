"""A view: topics followed into a SQLite file, for processes that answer questions instead of processing records.

It joins no group and commits nothing to Kafka. Rows, and how far the topics they come from have been read, change in
one transaction of SQLite, so a view that was killed goes on where its rows end. It is a cache: where the cluster, a
topic's id or the view's version is another, or an offset is gone, it starts over.

One thread of its own reads; any thread may ask. What a reader sees is one moment of all topics together.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import structlog

from cpor.runtime.clock import Clock, wall_ms
from cpor.runtime.errors import Retry, Stop
from cpor.runtime.health import Health
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.restore import CHECKPOINT_MAX_AGE_MS
from cpor.runtime.transport.port import Admin, Reader, Transport

log = structlog.get_logger("cpor.view")

#: A question waits for one poll at most; between two empty ones the thread sleeps until somebody asks.
POLL_MS = 20
SLEEP_SECONDS = 0.05
#: Records of one transaction.
BATCH = 2_000
#: Before the topics are tried again.
PAUSE_SECONDS = 1.0
_ORIGIN = "CREATE TABLE IF NOT EXISTS view_origin (origin TEXT NOT NULL, at INTEGER NOT NULL)"
_POSITIONS = """CREATE TABLE IF NOT EXISTS view_positions
    (topic TEXT, place INTEGER, position INTEGER NOT NULL, PRIMARY KEY (topic, place)) WITHOUT ROWID"""

Positions = dict[TopicPartition, int]
Fold = Callable[[sqlite3.Connection, Record], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a view holds. `tables`: CREATE statements. `fold` takes one record in, in the order of its partition; what
    it cannot read it passes over, and what it raises ends the view. `version` grows whenever one of them changes.
    """

    version: int
    topics: tuple[str, ...]
    tables: tuple[str, ...]
    fold: Fold


@dataclass(eq=False, slots=True)
class _Wish:
    """Somebody waits until `behind` has been read, which the view's own thread asks for."""

    behind: Positions | None = None
    granted: threading.Event = field(default_factory=threading.Event)


class View:
    """`start`, then `caught_up`, and after it `reading`, from any thread; `close` at last.

    `health` is told of rounds as a worker's is, `alive` of everything that shows progress. `failure` is what ended the
    view: a fault of ours, or of the disk; `ended` hears of it, in the view's thread. A broker that does not answer ends
    nothing: it is tried again, and until then nobody is granted a `caught_up`.
    """

    def __init__(
        self,
        transport: Transport,
        path: Path,
        shape: Shape,
        clock: Clock,
        health: Health | None = None,
        alive: Callable[[], None] = lambda: None,
        ended: Callable[[Exception], None] = lambda fault: None,
    ) -> None:
        self._transport = transport
        self._path = path
        self._shape = shape
        self._clock = clock
        self._health = health or Health("view", "0")
        self._alive = alive
        self._ended = ended
        self._wishes: list[_Wish] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"view {path.name}", daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        """Open the file and begin to read; one that is broken is made anew. Raises Stop where it cannot be used."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._prepare()
            except sqlite3.DatabaseError:
                self._path.unlink(missing_ok=True)
                self._prepare()
        except (OSError, sqlite3.Error) as fault:
            raise Stop("the view's file cannot be used", path=str(self._path), cause=str(fault)) from fault
        self._thread.start()

    def _prepare(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as rows:
            for statement in ("PRAGMA journal_mode=WAL", _ORIGIN, _POSITIONS):
                rows.execute(statement)

    def close(self) -> None:
        """Stop reading; returns when the thread has ended, or after 10 s."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def caught_up(self, seconds: float) -> bool:
        """Wait until all that was committed to the topics when this was called has been taken in; False where that
        took longer than `seconds`, or the view has ended.
        """
        wish = _Wish()
        with self._lock:
            self._wishes.append(wish)
        self._wake.set()
        granted = self.failure is None and wish.granted.wait(seconds) and self.failure is None
        with self._lock:
            self._wishes = [each for each in self._wishes if each is not wish]
        return granted

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment and changes nothing."""
        with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as rows:
            rows.execute("BEGIN")
            yield rows

    # -- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Until asked to stop. Only a fault of the topics is a passing one."""
        while not self._stopping.is_set():
            try:
                self._follow()
            except (Stop, sqlite3.Error) as fault:
                self._end(fault)
                return
            except Exception as fault:
                log.warning("the topics cannot be read now", view=self._path.name, cause=repr(fault)[:300])
                self._health.waits("waiting for Kafka")
                self._alive()
                self._stopping.wait(PAUSE_SECONDS)

    def _end(self, fault: Exception) -> None:
        log.error("the view has ended", view=self._path.name, cause=str(fault)[:500])
        self.failure = fault
        for wish in self._waiting():
            wish.granted.set()
        self._ended(fault)

    def _follow(self) -> None:
        with (
            closing(self._transport.reader()) as reader,
            closing(self._transport.admin()) as admin,
            closing(sqlite3.connect(self._path, isolation_level=None)) as rows,
        ):
            follower = _Follower(self._shape, rows, reader, admin)
            first = _Wish()
            while not self._stopping.is_set():
                began = time.monotonic()
                taken = follower.take()
                follower.grant([first, *self._waiting()])
                self._tell(first, taken, began)
                if not taken:
                    self._wake.wait(SLEEP_SECONDS)
                self._wake.clear()

    def _tell(self, first: _Wish, taken: Sequence[Record], began: float) -> None:
        """Rounds count once the view has caught up with what there was when it began."""
        self._alive()
        self._health.clock = self._clock.now()
        if not first.granted.is_set():
            self._health.waits("restoring")
        elif taken:
            self._health.committed(taken, 0, self._clock.now(), time.monotonic() - began)
        else:
            self._health.idle()

    def _waiting(self) -> list[_Wish]:
        with self._lock:
            return list(self._wishes)


class _Follower:
    """The topics' records into the file's rows, over one set of connections."""

    def __init__(self, shape: Shape, rows: sqlite3.Connection, reader: Reader, admin: Admin) -> None:
        self._shape, self._rows, self._reader, self._admin = shape, rows, reader, admin
        rows.execute("PRAGMA synchronous=NORMAL")
        self._reader.assign(self._valid_positions() or self._start_over())

    @cached_property
    def _tps(self) -> list[TopicPartition]:
        """Raises Retry where a topic is missing."""
        counts = self._admin.partition_counts()
        missing = [topic for topic in self._shape.topics if topic not in counts]
        if missing:
            raise Retry("topics are missing", topics=", ".join(missing))
        return [TopicPartition(topic, n) for topic in self._shape.topics for n in range(counts[topic])]

    @cached_property
    def _origin(self) -> str:
        """What the rows come from; rows of another origin are void."""
        ids = self._admin.topic_ids(self._shape.topics)
        return json.dumps([self._shape.version, self._admin.cluster_id(), ids, len(self._tps)], sort_keys=True)

    def _valid_positions(self) -> Positions | None:
        """How far the rows reach; None where they are not to be gone on from."""
        found = self._rows.execute("SELECT origin, at FROM view_origin").fetchone()
        if found is None or found[0] != self._origin or wall_ms() - found[1] > CHECKPOINT_MAX_AGE_MS:
            return None
        told = self._rows.execute("SELECT topic, place, position FROM view_positions")
        positions = {TopicPartition(topic, place): position for topic, place, position in told}
        beginnings = self._reader.beginnings(self._tps)
        ends = self._reader.ends(self._tps, uncommitted=True)
        valid = all(beginnings[tp] <= positions.get(tp, -1) <= ends[tp] for tp in self._tps)
        return positions if valid else None

    def _start_over(self) -> Positions:
        """Empty tables, made anew; the positions to read from."""
        positions = self._reader.beginnings(self._tps)
        log.info("the view starts over", topics=len(self._shape.topics))
        with self._transaction():
            tables = self._rows.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            for (name,) in tables:
                self._rows.execute(f'DROP TABLE "{name}"')
            for statement in (_ORIGIN, _POSITIONS, *self._shape.tables):
                self._rows.execute(statement)
            self._save(positions)
        return positions

    def take(self) -> list[Record]:
        """One batch, with how far it reaches, in one transaction; what was taken. Raises OffsetLost: the next follower
        finds the rows void.
        """
        records = self._reader.poll(POLL_MS, BATCH)
        if records:
            with self._transaction():
                for record in records:
                    self._fold(record)
                self._save({tp: self._reader.position(tp) for tp in {record.tp for record in records}})
        return records

    def _fold(self, record: Record) -> None:
        try:
            self._shape.fold(self._rows, record)
        except Exception as fault:
            raise Stop("a record cannot be taken in", record=record.origin, cause=repr(fault)[:300]) from fault

    def _save(self, positions: Positions) -> None:
        told = [(tp.topic, tp.partition, position) for tp, position in positions.items()]
        self._rows.executemany("INSERT OR REPLACE INTO view_positions VALUES (?, ?, ?)", told)
        self._rows.execute("DELETE FROM view_origin")
        self._rows.execute("INSERT INTO view_origin VALUES (?, ?)", (self._origin, wall_ms()))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._rows.execute("ROLLBACK")
            raise
        self._rows.execute("COMMIT")

    def grant(self, wishes: Sequence[_Wish]) -> None:
        """Those whose topics have been read that far."""
        fresh = [wish for wish in wishes if wish.behind is None]
        if fresh:
            ends = self._reader.ends(self._tps)
            for wish in fresh:
                wish.behind = dict(ends)
        for wish in wishes:
            behind = wish.behind or {}
            wish.behind = {tp: end for tp, end in behind.items() if self._reader.position(tp) < end}
            if not wish.behind:
                wish.granted.set()
