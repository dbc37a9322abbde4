"""Documents as files in a folder: whole and as they were accepted, or not at all; no other file is ever touched."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cpor.domain.model import Document
from cpor.ops.poe.names import local_name, numbered

#: The content of a document in pieces; raises Missing.
Read = Callable[[Document], Iterable[bytes]]


class Outcome(StrEnum):
    SAVED = "saved"
    #: A file of an earlier run, with the same content.
    THERE = "there_already"
    MISSING = "missing"
    #: What the store has is not what was accepted.
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one document; without a `path` nothing of it was saved."""

    document: Document
    outcome: Outcome
    path: Path | None = None


class Missing(Exception):
    """The bucket has no object under the document's key."""


class Altered(Exception):
    """The content has another size or digest than the claim's record."""


class Folder:
    """One folder and one run: two documents never get names that differ in capitals alone. Made where it is not there.

    Raises OSError, as `save` does.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._given: set[str] = set()

    def save(self, document: Document, read: Read, told: Callable[[int], None] = lambda count: None) -> Saved:
        """The file gets a number where its name is taken; `told` hears of each piece's bytes."""
        there = self._find(document)
        if there is not None:
            told(document.size)
            return Saved(document, Outcome.THERE, self._give(there))
        handle, fresh = tempfile.mkstemp(dir=self._path, prefix=".poe-", suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                _copy(document, read(document), file, told)
            return Saved(document, Outcome.SAVED, self._give(self._place(Path(fresh), document)))
        except Missing:
            return Saved(document, Outcome.MISSING)
        except Altered:
            return Saved(document, Outcome.ALTERED)
        finally:
            Path(fresh).unlink(missing_ok=True)

    def _find(self, document: Document) -> Path | None:
        """The document from an earlier run, under its own name or behind files that took it."""
        for path in self._paths(document):
            if not os.path.lexists(path):
                return None
            if _holds(path, document):
                return path
        return None

    def _place(self, fresh: Path, document: Document) -> Path:
        """The first free name is taken by an empty file, which nobody else's can be, and that is replaced."""
        for path in self._paths(document):
            try:
                path.open("x").close()
            except FileExistsError:
                continue
            return fresh.replace(path)
        raise AssertionError("names never end")

    def _paths(self, document: Document) -> Iterator[Path]:
        names = numbered(local_name(document.filename))
        return (self._path / name for name in names if name.casefold() not in self._given)

    def _give(self, path: Path) -> Path:
        self._given.add(path.name.casefold())
        return path


def _copy(document: Document, pieces: Iterable[bytes], file: Any, told: Callable[[int], None]) -> None:
    """Never more bytes than the record says. Raises Altered."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > document.size:
            raise Altered
        digest.update(piece)
        file.write(piece)
        told(len(piece))
    if (size, digest.hexdigest()) != (document.size, document.sha256):
        raise Altered


def _holds(path: Path, document: Document) -> bool:
    """Only a file of its own counts: a link could lead anywhere, a pipe would never end."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != document.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == document.sha256
