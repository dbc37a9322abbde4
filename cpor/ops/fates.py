"""What became of each mail, as the ledger tells, and the mails that nobody has received (contract §1, §2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from cpor.devstack.mail import Received, parsed
from cpor.domain.vocabulary import parse_instant
from cpor.ops import screen
from cpor.ops.instance import Instance
from cpor.ops.reading import read_whole
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DEFERRED, DELIVERED, SUPERSEDED

#: An entry's type → what it makes of the mail, and how much it weighs: a mail that came back later has not arrived, and
#: one that was taken back is not put off.
_STATES: Mapping[str, tuple[int, str]] = {
    DEFERRED: (1, "deferred"),
    SUPERSEDED: (2, "superseded"),
    DELIVERED: (3, "delivered"),
    BOUNCED: (4, "bounced"),
}


@dataclass(frozen=True, slots=True)
class Fate:
    """`state`: on_its_way, delivered, deferred, bounced, superseded. `since` and `next_at` are RFC 3339; `reply` is the
    server's, or why the mail was taken back.
    """

    state: str = "on_its_way"
    attempts: int = 0
    since: str | None = None
    next_at: str | None = None
    reply: str | None = None

    @property
    def words(self) -> str:
        """`deferred 2×, again 03-02 08:15`."""
        tried = f" {self.attempts}×" if self.state == "deferred" else ""
        again = f", again {screen.moment_text(self.next_at)[5:]}" if self.next_at is not None else ""
        return f"{self.state.replace('_', ' ')}{tried}{again}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """Fates by mail id, and every mail that was written, in order."""

    fates: Mapping[str, Fate]
    mails: tuple[Mapping[str, Any], ...]

    def fate(self, message_id: str) -> Fate:
        return self.fates.get(message_id.partition("@")[0], Fate())

    def not_among(self, received: Iterable[Received]) -> list[Received]:
        """The mails that nobody has received, as they would be."""
        there = {each.message_id.strip("<>").partition("@")[0] for each in received}
        return [_as_received(each) for each in self.mails if each["mail_id"] not in there]


def read_ledger(instance: Instance) -> Ledger:
    """From the topics, as of now. Mails stay there for 90 days, what became of them for ever."""
    mails = [from_json(each.value or b"{}") for each in read_whole(instance.transport, [Topic.MAIL])]
    return Ledger(fates_of(read_whole(instance.transport, [Topic.DELIVERIES])), tuple(mails))


def fates_of(deliveries: Iterable[Record]) -> dict[str, Fate]:
    """By mail id; the records of a partition in their order."""
    found: dict[str, Fate] = {}
    weights: dict[str, int] = {}
    for mail, weight, fate in _entries(deliveries):
        if weight >= weights.get(mail, 0):
            found[mail], weights[mail] = fate, weight
    return found


def _entries(deliveries: Iterable[Record]) -> Iterator[tuple[str, int, Fate]]:
    for record in deliveries:
        told = read_envelope(record.headers)
        if told.type is not None and told.type in _STATES:
            value = from_json(record.value or b"{}")
            weight, state = _STATES[told.type]
            reply = value.get("reply") or value.get("reason")
            fate = Fate(state, value["attempt"], value["at"], value.get("next_at"), reply)
            yield value["mail_id"], weight, fate


def fate_json(fate: Fate) -> dict[str, Any]:
    return asdict(fate)


def _as_received(mail: Mapping[str, Any]) -> Received:
    """What it looks like, not what goes over the line: that is delivery's."""
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = f"<{mail['mail_id']}>"
    message["Date"] = format_datetime(datetime.fromtimestamp(parse_instant(mail["at"]) / 1000, UTC))
    message["To"] = formataddr((" ".join(mail["to_name"].split()), mail["to"]))
    message["Subject"] = mail["subject"]
    message["Content-Language"] = mail["language"]
    message["X-CPOR-Kind"], message["X-CPOR-Claim"] = mail["kind"], mail["claim_id"]
    message.set_content(mail["text"], cte="quoted-printable")
    message.add_alternative(mail["html"], subtype="html", cte="quoted-printable")
    return Received(Path(f"{mail['mail_id']}.eml"), parsed(bytes(message)))
