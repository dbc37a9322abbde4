"""What became of each mail: the ledger, and the sink where somebody looked into it (contract §1, §2).

At least once: a mail may arrive twice under its one Message-ID. That is counted (`Tally.doubles`) and no fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from cpor.domain import ids
from cpor.domain.vocabulary import parse_instant
from cpor.ops.checker.approvals import OVERDUE_MS
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import DELIVERY
from cpor.ops.checker.reading import Read, Reading
from schemas.mail import BOUNCED, DEFERRED, DELIVERED, SUPERSEDED, AboutMail, Recipient

#: What every entry repeats of its mail.
ABOUT = tuple(AboutMail.model_fields)


@dataclass
class Tally:
    """Mails by what became of them. `doubles` are arrivals beyond the first of a mail."""

    delivered: set[str] = field(default_factory=set)
    bounced: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    #: Not sent any more: their contact was replaced before they were handed over.
    superseded: set[str] = field(default_factory=set)
    #: Nothing is told of them yet.
    in_flight: set[str] = field(default_factory=set)
    arrived: Counter[str] = field(default_factory=Counter)

    @property
    def doubles(self) -> int:
        return self.arrived.total() - len(self.arrived)


def tally(reading: Reading) -> Tally:
    """Each mail once: a mail that was delivered at some time counts as delivered."""
    found = Tally(arrived=Counter(each.mail_id for each in reading.log.sink or ()))
    told = _by_mail(reading.deliveries)
    for mail in {str(read.value["mail_id"]) for read in reading.mails}:
        types = {read.type for read in told.get(mail, ())}
        place = next((there for name, there in _places(found) if name in types), found.in_flight)
        place.add(mail)
    return found


def _places(found: Tally) -> tuple[tuple[str, set[str]], ...]:
    """In their order of weight: what was on its way when its contact was replaced may have arrived all the same."""
    return (
        (DELIVERED, found.delivered),
        (BOUNCED, found.bounced),
        (SUPERSEDED, found.superseded),
        (DEFERRED, found.deferred),
    )


def _by_mail(entries: list[Read]) -> dict[str, list[Read]]:
    found: dict[str, list[Read]] = {}
    for read in entries:
        found.setdefault(str(read.value["mail_id"]), []).append(read)
    return found


def check_deliveries(reading: Reading) -> Iterator[Finding]:
    mails = {str(read.value["mail_id"]): read for read in reading.mails}
    found, told = tally(reading), _by_mail(reading.deliveries)
    for read in reading.deliveries:
        yield from _entry(read, mails.get(read.value["mail_id"]))
        yield from _superseded(reading, read, mails.get(read.value["mail_id"]))
    if DELIVERY in reading.log.services:
        for mail in sorted(found.in_flight):
            yield _of(mails[mail], FindingCode.MAIL_UNDELIVERED, "Nothing is told of its delivery.")
        for mail in sorted(found.deferred):
            if _next_attempt(told[mail]) + OVERDUE_MS < reading.now:
                yield _of(mails[mail], FindingCode.MAIL_UNDELIVERED, "It was deferred and never sent again.")
    if reading.log.sink is not None:
        yield from _sink(reading, mails, found)


def _entry(read: Read, mail: Read | None) -> Iterator[Finding]:
    if mail is None:
        yield _of(read, FindingCode.DELIVERY_WITHOUT_MAIL, "There is no such mail.")
        return
    if read.told.id != ids.derived_id(read.value["mail_id"], read.type, read.value["attempt"]):
        yield _of(read, FindingCode.WRONG_ID, "Its id does not follow from the mail and the attempt.")
    wrong = [name for name in ABOUT if read.value.get(name) != mail.value.get(name)]
    if wrong:
        yield _of(read, FindingCode.DELIVERY_WRONG, f"It is not what the mail says: {', '.join(wrong)}.")


def _superseded(reading: Reading, read: Read, mail: Read | None) -> Iterator[Finding]:
    """R35: only where the claim had another contact at some time."""
    history = reading.history(str(read.value["claim_id"])) if read.type == SUPERSEDED else None
    if history is None or mail is None:
        return
    people = [step.after.personal for step in history.steps]
    to_customer = mail.value["recipient"] == Recipient.CUSTOMER
    contacts = [each.customer_contact if to_customer else each.partner_contact for each in people]
    if all(each is None or each.email.casefold() == mail.value["to"].casefold() for each in contacts):
        yield _of(read, FindingCode.DELIVERY_WRONG, "It was taken back, and its contact was never replaced.")


def _next_attempt(entries: list[Read]) -> int:
    return max(parse_instant(read.value["next_at"]) for read in entries if read.type == DEFERRED)


def _sink(reading: Reading, mails: dict[str, Read], found: Tally) -> Iterator[Finding]:
    for mail in sorted(found.delivered - found.arrived.keys()):
        yield _of(mails[mail], FindingCode.NOT_IN_SINK, "It is told as delivered, and nobody received it.")
    for arrival in reading.log.sink or ():
        known = mails.get(arrival.mail_id)
        if known is None:
            sentence = "A mail was received that was never written."
            yield finding(FindingCode.SINK_WITHOUT_MAIL, sentence, mail=arrival.mail_id)
        elif known.value["to"] != arrival.to:
            yield _of(known, FindingCode.MAIL_TO_ANOTHER, "It was received by somebody else.")


def _of(read: Read, code: FindingCode, sentence: str) -> Finding:
    claim, kind, mail = (read.value[name] for name in ("claim_id", "kind", "mail_id"))
    return finding(code, sentence, claim=claim, kind=kind, mail=mail, record=read.record.origin)
