"""An ordered key-value engine: RocksDB, and its in-memory twin."""

from __future__ import annotations

import shutil
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import structlog
from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteBatch, WriteBufferManager

from cpor.runtime.errors import Stop
from cpor.runtime.topics import MIB

log = structlog.get_logger("cpor.runtime")

#: Writes to be made together; None deletes.
Changes = Mapping[bytes, bytes | None]


class Engine(Protocol):
    """Ordered bytes to bytes; a `write` happens whole or not at all."""

    def get(self, key: bytes) -> bytes | None: ...

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix`, in order of the key."""

    def write(self, changes: Changes) -> None: ...

    def close(self) -> None: ...


class Engines(Protocol):
    """Where engines come from and go to."""

    def open(self, partition: str) -> Engine: ...

    def destroy(self, partition: str) -> None:
        """Delete a closed engine's data."""


class RocksEngine:
    """RocksDB at `path`. Not synced: after a power cut it is behind its topics and is caught up.

    Raises Stop where it cannot be opened or read. A store found corrupt is marked, and thrown away at the next open:
    it is a cache, its topics are the truth.
    """

    def __init__(self, path: Path, options: Options | None = None) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db: Any = Rdict(str(path), options or Memory().options())
        except Exception as fault:
            raise self._broken("the local store cannot be opened", fault) from fault

    def get(self, key: bytes) -> bytes | None:
        try:
            found = self._db.get(key)
        except Exception as fault:
            raise self._broken("the local store cannot be read", fault) from fault
        return None if found is None else bytes(found)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        try:
            for key, value in self._db.items(from_key=prefix):
                if not key.startswith(prefix):
                    return
                yield key, value
        except Exception as fault:
            raise self._broken("the local store cannot be read", fault) from fault

    def write(self, changes: Changes) -> None:
        batch: Any = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._db.write(batch)

    def close(self) -> None:
        self._db.close()

    def _broken(self, what: str, fault: Exception) -> Stop:
        if "Corruption" in str(fault):
            broken_mark(self._path).touch()
        return Stop(what, path=str(self._path), cause=str(fault))


def broken_mark(path: Path) -> Path:
    """Beside a store that was found corrupt."""
    return path.with_name(f"{path.name}.broken")


class Memory:
    """What all stores of a process share: blocks read and rows not yet on disk are bounded for them together."""

    def __init__(self, blocks: int = 64 * MIB, unwritten: int = 64 * MIB) -> None:
        self._table = BlockBasedOptions()
        self._table.set_block_cache(Cache(blocks))
        self._unwritten = WriteBufferManager(unwritten, False)

    def options(self) -> Options:
        """A process may own every slot (48 in production) and has 1,024 file descriptors on many a machine."""
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(self._table)
        options.set_write_buffer_manager(self._unwritten)
        options.set_write_buffer_size(8 * MIB)
        options.set_max_write_buffer_number(2)
        options.set_max_open_files(16)
        options.set_keep_log_file_num(2)
        return options


class RocksEngines:
    """One RocksDB a partition below `<data>/<service>/<slot>`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._memory = Memory()

    def open(self, partition: str) -> Engine:
        """A store that cannot be read is thrown away and made anew, empty: it will be restored."""
        path = self._root / partition
        if broken_mark(path).exists():
            self.destroy(partition)
        try:
            return RocksEngine(path, self._memory.options())
        except Stop as fault:
            if not broken_mark(path).exists():
                raise
            log.warning("a corrupt store is made anew", path=str(path), cause=str(fault))
            self.destroy(partition)
            return RocksEngine(path, self._memory.options())

    def destroy(self, partition: str) -> None:
        shutil.rmtree(self._root / partition, ignore_errors=True)
        broken_mark(self._root / partition).unlink(missing_ok=True)


class MemoryEngine:
    """Sorted keys and a dict."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        first = bisect_left(self._keys, prefix)
        for key in self._keys[first:]:
            if not key.startswith(prefix):
                return
            yield key, self._rows[key]

    def write(self, changes: Changes) -> None:
        for key, value in changes.items():
            if value is None:
                self._remove(key)
                continue
            if key not in self._rows:
                insort(self._keys, key)
            self._rows[key] = value

    def _remove(self, key: bytes) -> None:
        if self._rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def close(self) -> None:
        return None


class MemoryEngines:
    """Engines that survive the worker that opened them, as a disk would."""

    def __init__(self) -> None:
        self.held: dict[str, MemoryEngine] = {}

    def open(self, partition: str) -> Engine:
        return self.held.setdefault(partition, MemoryEngine())

    def destroy(self, partition: str) -> None:
        self.held.pop(partition, None)
