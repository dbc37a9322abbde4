"""An ordered key-value engine: RocksDB, and its in-memory twin."""

from __future__ import annotations

import shutil
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from rocksdict import Options, Rdict, WriteBatch

from cpor.runtime.errors import Stop

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
    """RocksDB at `path`. Not synced: after a power cut it is behind its topics and is caught up."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_size(32 * 1024 * 1024)
        options.set_max_write_buffer_number(2)
        options.set_max_open_files(256)
        try:
            self._db: Any = Rdict(str(path), options)
        except Exception as fault:
            raise Stop("the local store cannot be opened", path=str(path), cause=str(fault)) from fault

    def get(self, key: bytes) -> bytes | None:
        found = self._db.get(key)
        return None if found is None else bytes(found)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        for key, value in self._db.items(from_key=prefix):
            if not key.startswith(prefix):
                return
            yield key, value

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


class RocksEngines:
    """One RocksDB a partition below `<data>/<service>/<slot>`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, partition: str) -> Engine:
        return RocksEngine(self._root / partition)

    def destroy(self, partition: str) -> None:
        shutil.rmtree(self._root / partition, ignore_errors=True)


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
