"""One claim's life as the topics have it: its history, and the mails that went out about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from cpor.ops.checker import PipelineLog
from cpor.ops.history import Entry, entry_of
from cpor.runtime.record import Record
from schemas import envelope
from schemas.mail import BOUNCED, DEFERRED, MAIL, SUPERSEDED

#: So much is shown of what was said: two lines on a screen of 100 columns.
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Line:
    """`at` is RFC 3339; `who` acted, or gets the mail."""

    at: str
    who: str
    what: str
    mail: bool = False


def life(log: PipelineLog, claim_id: str) -> list[Line]:
    """In order of time; a mail stands after what brought it about."""
    subject = (envelope.SUBJECT, claim_id.encode())
    entries = (entry_of(each, inside=True) for each in log.events if subject in each.headers)
    events = _of_events([each for each in entries if each is not None])
    mails = _mails(each for each in (*log.deliveries, *log.mails) if subject in each.headers)
    return sorted([*events, *mails], key=lambda line: (line.at, line.mail))


def _of_events(entries: list[Entry]) -> Iterator[Line]:
    """The status where it changes and the event's name does not say it."""
    for before, entry in zip([None, *entries], entries, strict=False):
        changed = entry.status not in (entry.action, before and before.status)
        words = f"“{entry.comment}”" if entry.comment else next(iter(entry.changes), "")
        told = f"{entry.action}{f' → {entry.status}' if changed else ''}{': ' if words else ''}{words}"
        yield Line(entry.time, entry.side, _short(told))


def _mails(records: Iterable[Record]) -> Iterator[Line]:
    for record in records:
        kind, mail = record.header(envelope.TYPE), from_json(record.value or b"{}")
        if kind == MAIL:
            about = f"{mail['kind'].replace('_', ' ')} ({mail['language']}): {mail['subject']}"
            yield Line(mail["at"], mail["recipient"], _short(about), mail=True)
        elif kind in (BOUNCED, DEFERRED):
            became = "came back" if kind == BOUNCED else "was put off"
            yield Line(mail["at"], mail["recipient"], _short(f"{became}: {mail['reply']}"), mail=True)
        elif kind == SUPERSEDED:
            yield Line(mail["at"], mail["recipient"], "was taken back: there is another contact", mail=True)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
