"""Mails as they are listed: what our headers say of them, and how often each has come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from cpor.devstack.mail import Received
from cpor.domain.vocabulary import datetime_instant, instant_text
from cpor.ops.errors import Refused
from cpor.ops.fates import Fate, Ledger, fate_json

#: Of a mail on whose delivery nothing is told.
UNKNOWN = Fate()
#: So much of a Message-ID must be given for the mail to be found by its beginning.
SHORTEST_PREFIX = 6
#: Control characters but line ends and tabs, and what turns the direction of writing.
_HIDDEN = re.compile(r"[^\n\t -~\u00a0-\U0010ffff]|[\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class ListedMail:
    """One mail; `number` counts from 1 in the order of arrival, `deliveries` is 2 where it came twice. One that nobody
    has received has no number, and no deliveries.

    `time` in ms since the epoch, by the clock of the instance. What a mail that is not ours does not say is empty.
    """

    number: int | None
    message: EmailMessage
    deliveries: int
    fate: Fate = UNKNOWN

    @property
    def time(self) -> int | None:
        date: Any = self.message["Date"]
        told: datetime | None = getattr(date, "datetime", None)
        if told is None:
            return None
        return datetime_instant(told if told.tzinfo else told.replace(tzinfo=UTC))

    @property
    def message_id(self) -> str:
        return self.header("Message-ID").strip("<>")

    @property
    def to(self) -> str:
        """Addresses alone."""
        told: Any = self.message["To"]
        return ", ".join(each.addr_spec for each in getattr(told, "addresses", ()))

    @property
    def kind(self) -> str:
        return self.header("X-CPOR-Kind")

    @property
    def claim_id(self) -> str:
        return self.header("X-CPOR-Claim")

    def header(self, name: str) -> str:
        value = self.message[name]
        return "" if value is None else readable(str(value))

    def body(self, kind: str = "plain") -> str:
        """Its text (`plain`) or `html`; empty where it has none."""
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")

    def raw(self) -> str:
        return self.message.as_bytes(policy=SMTP.clone(refold_source="none")).decode("utf-8", "replace")


def listed_mails(
    mails: Iterable[Received], ledger: Ledger | None = None, *, unreceived: bool = False
) -> list[ListedMail]:
    """Each Message-ID once, by its first arrival; after them, where asked for, those that nobody has received."""
    received = list(mails)
    told = ledger or Ledger({}, ())
    found = [replace(each, fate=told.fate(each.message_id)) for each in _counted(received)]
    if not unreceived:
        return found
    others = (ListedMail(None, each.message, 0) for each in told.not_among(received))
    return [*found, *(replace(each, fate=told.fate(each.message_id)) for each in others)]


def _counted(mails: Iterable[Received]) -> list[ListedMail]:
    copies: dict[str, list[EmailMessage]] = {}
    for each in mails:
        name = each.message["Message-ID"] or str(each.path)
        copies.setdefault(str(name), []).append(each.message)
    return [ListedMail(number, same[0], len(same)) for number, same in enumerate(copies.values(), start=1)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which mails are looked for; None means: any. `to` is a part of an address."""

    claim_id: str | None = None
    to: str | None = None
    kinds: tuple[str, ...] | None = None

    def select(self, mails: Iterable[ListedMail]) -> list[ListedMail]:
        return [each for each in mails if self._passes(each)]

    def _passes(self, listed: ListedMail) -> bool:
        return (
            self.claim_id in (None, listed.claim_id)
            and (self.to is None or self.to.casefold() in listed.to.casefold())
            and (self.kinds is None or listed.kind in self.kinds)
        )


def pick(mails: Sequence[ListedMail], name: str | None) -> ListedMail:
    """The mail with this number, Message-ID or unmistakable beginning of one; without a name the newest.

    Raises Refused.
    """
    if not mails:
        raise Refused("there is no such mail; `cpor mail list` shows what there is")
    if name is None:
        return mails[-1]
    wanted = name.strip("<>").lower()
    rules: tuple[Callable[[ListedMail], bool], ...] = (
        lambda listed: str(listed.number) == wanted,
        lambda listed: listed.message_id.lower() == wanted,
        lambda listed: len(wanted) >= SHORTEST_PREFIX and listed.message_id.lower().startswith(wanted),
    )
    for rule in rules:
        found = [each for each in mails if rule(each)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Refused(f"{name} could be {len(found)} mails: give more of the Message-ID, or the number")
    raise Refused(f"there is no mail {name}; `cpor mail list` shows numbers, `cpor mail list --json` Message-IDs")


def readable(text: str) -> str:
    """Without what would steer a terminal."""
    return _HIDDEN.sub("\ufffd", text)


def mail_json(listed: ListedMail) -> dict[str, Any]:
    return {
        "number": listed.number,
        "time": None if listed.time is None else instant_text(listed.time),
        "to": listed.to,
        "subject": listed.header("Subject"),
        "kind": listed.kind or None,
        "claim_id": listed.claim_id or None,
        "message_id": listed.message_id,
        "deliveries": listed.deliveries,
        **fate_json(listed.fate),
    }
