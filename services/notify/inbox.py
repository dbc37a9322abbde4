"""The mailbox of bounces: a Maildir here, IMAP in `inbox_imap`. Mails are moved and never deleted."""

from __future__ import annotations

import mailbox
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from cpor.runtime.clock import wall_ms
from cpor.runtime.errors import Misconfigured
from cpor.runtime.settings import with_secrets

#: Where mails go that were told of, and those that nobody here understands.
PROCESSED, UNKNOWN = "processed", "unknown"
FOLDERS = (PROCESSED, UNKNOWN)
IMAPS_PORT = 993


class Unreachable(Exception):
    """The mailbox cannot be reached now; it is tried again."""


class Letter(NamedTuple):
    """A mail's first bytes, and when it came, ms of wall time."""

    content: bytes
    came_at: int


class Inbox(Protocol):
    """Keys name mails as long as these stay where they are. All methods raise Unreachable."""

    def waiting(self) -> list[str]:
        """The mails in the mailbox itself, the oldest first."""

    def read(self, key: str, most: int) -> Letter | None:
        """At most `most` bytes of it; None where it is gone."""

    def move(self, keys: Sequence[str], folder: str) -> None:
        """Into one of `FOLDERS`, whole; who dies meanwhile leaves each mail in at least one of the two places."""

    def number_in(self, folder: str) -> int:
        """How many mails lie there."""


class MaildirInbox:
    """A Maildir with subfolders `.processed` and `.unknown`; one process at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        box = mailbox.Maildir(path, create=True)
        self._folders = {name: path / f".{name}" / "cur" for name in FOLDERS}
        for name in set(FOLDERS) - set(box.list_folders()):
            box.add_folder(name)

    def waiting(self) -> list[str]:
        """Mails begin to be there when they are in `new`; a reader of mails may have put them into `cur`."""
        found = [entry for name in ("new", "cur") for entry in os.scandir(self._path / name) if entry.is_file()]
        return [str(Path(entry.path).relative_to(self._path)) for entry in sorted(found, key=lambda each: each.name)]

    def read(self, key: str, most: int) -> Letter | None:
        try:
            with (self._path / key).open("rb") as file:
                return Letter(file.read(most), os.fstat(file.fileno()).st_mtime_ns // 1_000_000)
        except FileNotFoundError:
            return None
        except PermissionError:
            return Letter(b"", wall_ms())  # for an operator to look at: it must not keep us from all others

    def move(self, keys: Sequence[str], folder: str) -> None:
        for key in keys:
            with suppress(FileNotFoundError):
                (self._path / key).rename(_free(self._folders[folder], Path(key).name.partition(":")[0]))

    def number_in(self, folder: str) -> int:
        places = (self._folders[folder], self._folders[folder].parent / "new")
        return sum(1 for place in places for _ in os.scandir(place))


def _free(folder: Path, name: str) -> Path:
    """A name that nothing there has: programs that deliver mails are to choose each but once, and some do not."""
    names = (f"{name}{suffix}:2,S" for suffix in chain(("",), (f"_{n}" for n in count(1))))
    return next(path for path in map(folder.joinpath, names) if not path.exists())


@dataclass(frozen=True, slots=True)
class ImapAddress:
    """`password` is shown nowhere; `ca` is a file of certificates to trust instead of the system's."""

    user: str
    host: str
    port: int
    folder: str
    password: str
    ca: str | None = None

    def __repr__(self) -> str:
        return f"imaps://{self.host}:{self.port}/{self.folder}"


Opener = Callable[[], Inbox]


def source_of(environment: Mapping[str, str] = os.environ) -> Opener:
    """What opens the mailbox that CPOR_BOUNCES names. Raises Misconfigured."""
    told = environment.get("CPOR_BOUNCES", "")
    kind, _, place = told.partition(":")
    if kind == "maildir" and place.startswith("/"):
        return lambda: MaildirInbox(Path(place))
    if kind == "imaps":
        from services.notify.inbox_imap import ImapInbox  # nobody else needs its library

        address = imap_address(told, environment)
        return lambda: ImapInbox(address)
    raise Misconfigured("CPOR_BOUNCES must be maildir:/path or imaps://user@host[:port]/FOLDER")


def imap_address(told: str, environment: Mapping[str, str]) -> ImapAddress:
    """Raises Misconfigured, without the secret."""
    env, url = with_secrets(environment), urlsplit(told)
    try:
        port = url.port or IMAPS_PORT
    except ValueError:
        port = 0
    if not url.hostname or not url.username or not port:
        raise Misconfigured("CPOR_BOUNCES must name user and host: imaps://user@host[:port]/FOLDER")
    if url.password is not None or not env.get("CPOR_BOUNCES_PASSWORD"):
        raise Misconfigured("the password of CPOR_BOUNCES belongs in CPOR_BOUNCES_PASSWORD, or a file that _FILE names")
    folder = unquote(url.path.lstrip("/")) or "INBOX"
    password = env["CPOR_BOUNCES_PASSWORD"]
    return ImapAddress(unquote(url.username), url.hostname, port, folder, password, env.get("CPOR_BOUNCES_CA") or None)
