"""Partner updates: one for each event of a partner's own claims, and nothing that is not its business (D30)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any

from cpor.domain import ids
from cpor.domain.directory import read_partner
from cpor.domain.model import Personal
from cpor.domain.vocabulary import ActorKind, EventName, Instant, Status, instant_text
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import NOTIFY
from cpor.ops.checker.reading import History, Read, Reading, Step
from cpor.runtime.topics import updates_topic
from schemas.updates import UPDATE

#: A shorter id of somebody would be found in anything.
SHORTEST_SECRET = 3
_CLAIM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_updates(reading: Reading) -> Iterator[Finding]:
    told: dict[tuple[str, int], list[Read]] = {}
    for read in reading.updates:
        told.setdefault((read.value["claim_id"], read.value["sequence"]), []).append(read)
    for history in reading.whole:
        for step in history.steps:
            yield from _told_once(reading, history, step, told.pop((history.claim_id, step.event.sequence), []))
    for (claim, _), reads in told.items():
        if not reading.is_broken(claim):
            yield from (_of(each, FindingCode.UPDATE_WITHOUT_EVENT, "There is no such event.") for each in reads)
    yield from _orders(reading)
    yield from _secrets(reading)


def _told_once(reading: Reading, history: History, step: Step, reads: list[Read]) -> Iterator[Finding]:
    if not reads and NOTIFY in reading.log.services:
        sentence = "The partner was not told of the event."
        yield finding(FindingCode.UPDATE_MISSING, sentence, claim=history.claim_id, sequence=step.event.sequence)
    if len(reads) > 1:
        yield _of(reads[1], FindingCode.UPDATE_DOUBLED, f"The partner was told {len(reads)} times.")
    for read in reads:
        if not _lies_right(history, read):
            sentence = "The update does not go to the claim's partner under its reference."
            yield _of(read, FindingCode.UPDATE_MISPLACED, sentence)
    for read in reads[:1]:
        cause = ids.event_id(step.event.claim_id, step.event.sequence)
        if (read.told.id, read.told.causation) != (ids.derived_id(cause, UPDATE), cause):
            yield _of(read, FindingCode.WRONG_ID, "Its id does not follow from the event behind it.")
        wrong = [name for name, value in _facts(step).items() if read.value.get(name) != value]
        if wrong:
            yield _of(read, FindingCode.UPDATE_WRONG, f"It is not what the event says: {', '.join(wrong)}.")


def _lies_right(history: History, read: Read) -> bool:
    there, state = read.record, history.state
    placed = (there.topic, there.partition) == (updates_topic(state.partner_id), 0)
    return placed and read.key == read.value["claim_ref"] == state.claim_ref


def _facts(step: Step) -> dict[str, Any]:
    """What an update must say, of the event and of the claim after it; their fold is then the claim's status."""
    event, until = step.event, _dispute_until(step)
    return {
        "event": event.NAME.value,
        "at": instant_text(event.at),
        "actor_kind": event.actor.kind.value,
        "status": event.status.value,
        "reasons": [{"code": each.code, "workloads": list(each.workloads)} for each in step.after.reasons],
        "comment": _said(event),
        "due": [
            {"clock": each.clock.value, "due": instant_text(each.due)} for each in step.after.due(Instant(event.at))
        ],
        "disputable": until is not None,
        "dispute_until": None if until is None else instant_text(until),
    }


def _said(event: Any) -> str | None:
    texts = (getattr(event, name, None) for name in ("text", "comment", "justification"))
    return next((each for each in texts if each is not None), None)


def _dispute_until(step: Step) -> Instant | None:
    """A window runs only where a rejection opened one (D7)."""
    due = {each.clock.value: each.due for each in step.after.due(Instant(step.event.at))}
    return Instant(due["dispute_window"]) if step.after.status == Status.REJECTED and "dispute_window" in due else None


def _orders(reading: Reading) -> Iterator[Finding]:
    """As they lie in the partner's topic: 1, 2, 3 … of each claim."""
    newest: dict[tuple[str, str], int] = {}
    for read in reading.updates:
        place = (read.record.topic, str(read.value["claim_id"]))
        sequence = int(read.value["sequence"])
        if sequence < newest.get(place, 0):
            yield _of(read, FindingCode.UPDATE_OUT_OF_ORDER, "It comes after an update of a later event.")
        newest[place] = max(sequence, newest.get(place, 0))


# -- what no partner may read --------------------------------------------------------------------------------------


class Strangers:
    """Who and what must not be named to a partner."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    @cached_property
    def partners(self) -> dict[str, set[str]]:
        """Ids and names of partners, by id."""
        found = {history.state.partner_id: {str(history.state.partner_id)} for history in self._reading.whole}
        named: dict[str, set[str]] = {str(each): names for each, names in found.items()}
        for record in self._reading.log.directory:
            try:
                entry = read_partner(record.value or b"{}")
            except ValueError:
                continue  # Not for us to judge: intake refuses such a partner's messages.
            named.setdefault(entry.partner_id, {str(entry.partner_id)}).add(entry.name)
        return named

    @cached_property
    def claims(self) -> dict[str, str]:
        """The partner of each claim."""
        return {history.claim_id: str(history.state.partner_id) for history in self._reading.whole}

    def claim_of_another(self, claim: str, text: str) -> bool:
        """Whether the text holds the id of a claim that is another partner's."""
        own = self.claims[claim]
        return any(self.claims.get(each, own) != own for each in _CLAIM.findall(text))

    def of(self, history: History) -> set[str]:
        own = str(history.state.partner_id)
        others = {each for partner, names in self.partners.items() if partner != own for each in names}
        return (others - self.partners.get(own, set())) | _reviewers(history) | _contacts(history)


def _reviewers(history: History) -> set[str]:
    """D30: they appear as "reviewer"; operators likewise."""
    hidden = (ActorKind.REVIEWER, ActorKind.OPERATOR)
    return {step.event.actor.id for step in history.steps if step.event.actor.kind in hidden}


def _contacts(history: History) -> set[str]:
    """Names and addresses of every contact that the claim ever had (contract §3)."""
    found = (getattr(step.event, "personal", None) for step in history.steps)
    return {text for personal in found if personal is not None for text in _people(personal)}


def _people(personal: Personal) -> Iterator[str]:
    for contact in (personal.customer_contact, personal.partner_contact, personal.technical_contact):
        if contact is not None:
            yield from (contact.name, contact.email)


def _secrets(reading: Reading) -> Iterator[Finding]:
    strangers = Strangers(reading)
    hidden: dict[str, re.Pattern[str]] = {}
    for read in reading.updates:
        claim = str(read.value["claim_id"])
        history = reading.history(claim)
        if history is None:
            continue
        if claim not in hidden:
            hidden[claim] = _any_of(frozenset(strangers.of(history)))
        if any(hidden[claim].search(text) or strangers.claim_of_another(claim, text) for text in _texts(read.value)):
            sentence = "It names a contact, a reviewer, another partner or another's claim."
            yield _of(read, FindingCode.UPDATE_TELLS_TOO_MUCH, sentence)


@lru_cache(maxsize=1024)
def _any_of(secrets: frozenset[str]) -> re.Pattern[str]:
    """Finds each as a word of its own; nothing where there is none."""
    known = "|".join(re.escape(each) for each in sorted(secrets) if len(each) >= SHORTEST_SECRET)
    return re.compile(rf"(?<![\w@.-])(?:{known})(?![\w@-])" if known else r"(?!)")


#: What cannot name anybody, and what people wrote themselves, which is theirs to tell.
_HARMLESS = ("claim_id", "claim_ref", "event", "actor_kind", "status")
_SYSTEM_COMMENTS = (EventName.COMPETITION_FLAGGED.value,)


def _texts(value: dict[str, Any]) -> Iterator[str]:
    spoken = value["event"] not in _SYSTEM_COMMENTS
    for name, each in value.items():
        if name not in _HARMLESS and not (spoken and name == "comment"):
            yield from _strings(each)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _strings(list(value.values()))
    elif isinstance(value, Iterable):
        for each in value:
            yield from _strings(each)


def _of(read: Read, code: FindingCode, sentence: str) -> Finding:
    claim, sequence = read.value["claim_id"], read.value["sequence"]
    return finding(code, sentence, claim=claim, sequence=sequence, record=read.record.origin)
