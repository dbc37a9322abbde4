"""The mailbox of bounces over IMAP with TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from cpor.domain.vocabulary import datetime_instant
from services.notify.inbox import FOLDERS, ImapAddress, Letter, Unreachable

#: How long one answer of the server is waited for: below the watchdog's patience.
SECONDS = 20.0


class ImapInbox:
    """A folder of a mailbox; beside it stand folders `processed` and `unknown`. One connection, kept while it works.

    The server must be able to move a mail (MOVE, or UIDPLUS): to throw away what somebody else has marked is not for
    us. A kill between a copy and its removal leaves the mail in both folders.
    """

    def __init__(self, address: ImapAddress) -> None:
        self._address = address
        self._client: Any = None
        self._folders: dict[str, str] = {}

    def waiting(self) -> list[str]:
        with self._connected() as client:
            client.noop()  # what came meanwhile is told with its answer
            return [str(uid) for uid in sorted(client.search(["UNDELETED"]))]

    def read(self, key: str, most: int) -> Letter | None:
        with self._connected() as client:
            found = client.fetch([int(key)], [f"BODY.PEEK[]<0.{most}>", "INTERNALDATE"]).get(int(key))
            if found is None:
                return None
            content, came = found.get(b"BODY[]<0>"), found.get(b"INTERNALDATE")
            if content is None or not isinstance(came, datetime):
                raise IMAPClientError("the server does not give the mail")
            return Letter(content, datetime_instant(came))

    def move(self, keys: Sequence[str], folder: str) -> None:
        uids = [int(key) for key in keys]
        with self._connected() as client:
            if client.has_capability("MOVE"):
                client.move(uids, self._folders[folder])
            else:
                client.copy(uids, self._folders[folder])
                client.delete_messages(uids, silent=True)
                client.uid_expunge(uids)

    def number_in(self, folder: str) -> int:
        with self._connected() as client:
            return int(client.folder_status(self._folders[folder], ["MESSAGES"])[b"MESSAGES"])

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """After any fault the next question finds a new connection."""
        try:
            if self._client is None:
                self._client = self._connect()
            yield self._client
        except (OSError, IMAPClientError) as fault:
            self._hang_up()
            raise Unreachable(f"{self._address!r}: {_why(fault)}") from fault

    def _connect(self) -> Any:
        there = self._address
        context = ssl.create_default_context(cafile=there.ca)
        client = IMAPClient(there.host, there.port, ssl_context=context, timeout=SECONDS)
        try:
            client.login(there.user, there.password)
            client.normalise_times = False
            if not client.has_capability("MOVE") and not client.has_capability("UIDPLUS"):
                raise IMAPClientError("the server can neither MOVE nor UID EXPUNGE")
            self._folders = _made_folders(client)
            client.select_folder(there.folder)
        except BaseException:
            client.shutdown()
            raise
        return client

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError):
                client.shutdown()


def _made_folders(client: Any) -> dict[str, str]:
    """Our names → theirs: some servers have all folders of a mailbox below one prefix."""
    spaces = client.namespace().personal if client.has_capability("NAMESPACE") else None
    prefix = spaces[0][0] if spaces else ""
    names = {name: f"{prefix}{name}" for name in FOLDERS}
    for name in names.values():
        if not client.folder_exists(name):
            client.create_folder(name)
    return names


def _why(fault: Exception) -> str:
    """A server may repeat what it was told: nothing of a refused log-in is passed on."""
    return "the log-in is refused" if isinstance(fault, LoginError) else f"{type(fault).__name__}: {str(fault)[:200]}"
