"""Mails: each that the events call for is there once, to the right address, and no other (domain §3, D28)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cached_property

from cpor.domain import ids
from cpor.domain.directory import read_partner
from cpor.domain.policy import policy
from cpor.domain.vocabulary import UserRole, parse_instant
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.letters import Expected, expected
from cpor.ops.checker.log import NOTIFY
from cpor.ops.checker.reading import History, Read, Reading
from schemas.mail import MailKind, Recipient

_DAY_MS = 86_400_000
#: 1970-01-01 as `date.toordinal` counts.
_EPOCH = date(1970, 1, 1).toordinal()


class Post:
    """The mails that were written beside those that should have been."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.expected = {(each.cause, each.kind.value): each for each in expected(reading)}
        self.written: dict[tuple[str, str], list[Read]] = {}
        for read in reading.mails:
            self.written.setdefault((read.value["cause"], read.value["kind"]), []).append(read)

    @cached_property
    def admins(self) -> dict[str, set[str]]:
        """Addresses of each partner's incentives admins, of today and before (D23)."""
        found: dict[str, set[str]] = {}
        for record in self.reading.log.directory:
            try:
                entry = read_partner(record.value or b"{}")
            except ValueError:
                continue  # It counts as absent, and so do its users.
            users = (each.email for each in entry.users if each.role == UserRole.INCENTIVES_ADMIN)
            found.setdefault(entry.partner_id, set()).update(users)
        return found

    def number_due(self, want: Expected) -> int | None:
        """How many mails there must be; None where only the directory of that hour could tell."""
        if want.to == Recipient.OPERATIONS:
            operations = self.reading.log.operations
            return None if operations is None else int(operations != "")
        return 1 if want.addresses() else 0 if want.to == Recipient.CUSTOMER else None

    def is_right(self, want: Expected, address: str) -> bool:
        if want.to == Recipient.OPERATIONS:
            return self.reading.log.operations in (None, address)
        known = want.addresses()
        if known or want.to == Recipient.CUSTOMER:
            return address in known
        return address in self.admins.get(want.history.state.partner_id, set())

    def is_of_ending(self, read: Read) -> bool:
        """D23: the mail before a known end. Which end it tells of is found among the days it may lie ahead."""
        history = self.reading.history(str(read.value["claim_id"]))
        if read.value["kind"] != MailKind.REASSOCIATE or history is None or history.state.approval is None:
            return False
        approvals = [step.event.sequence for step in history.steps if step.after.approval is not None]
        causes = (ids.event_id(history.state.claim_id, number) for number in approvals)
        today = _EPOCH + parse_instant(read.value["at"]) // _DAY_MS
        # A day more on either side: the claim's own day may be another than that of UTC.
        days = range(today - 1, today + policy(history.state.policy).facts.legacy_notice_days + 2)
        called_for = (ids.derived_id(cause, MailKind.REASSOCIATE, day) for cause in causes for day in days)
        return read.value["cause"] in called_for and self._is_the_partners(history, read.value["to"])

    def _is_the_partners(self, history: History, address: str) -> bool:
        contacts = {each.email for step in history.steps if (each := step.after.personal.partner_contact) is not None}
        return address in (contacts or self.admins.get(history.state.partner_id, set()))


def check_mails(reading: Reading) -> Iterator[Finding]:
    post = Post(reading)
    seen: Counter[str] = Counter()
    for read in reading.mails:
        seen[read.value["mail_id"]] += 1
        if seen[read.value["mail_id"]] == 2:
            yield _of(read, FindingCode.MAIL_DOUBLED, "The mail was written before.")
        recipe = ids.mail_id(read.value["cause"], read.value["kind"], read.value["to"])
        if (read.told.id, read.value["mail_id"]) != (recipe, recipe):
            yield _of(read, FindingCode.WRONG_ID, "Its id does not follow from cause, kind and address.")
    for identity, want in post.expected.items():
        yield from _judge(post, want, post.written.get(identity, []))
    for identity, reads in post.written.items():
        if identity not in post.expected:
            yield from _uncalled(post, reads)


def _judge(post: Post, want: Expected, reads: list[Read]) -> Iterator[Finding]:
    due = post.number_due(want)
    claim = want.history.claim_id
    if due == 1 and not reads and NOTIFY in post.reading.log.services:
        yield finding(FindingCode.MAIL_MISSING, f"The mail {want.kind} is missing.", claim=claim, cause=want.cause)
    different = {read.value["mail_id"]: read for read in reads}
    if due is not None and len(different) > max(due, 1):
        sentence = f"There are {len(different)} mails of one event, kind and recipient."
        yield _of(list(different.values())[1], FindingCode.MAIL_DOUBLED, sentence)
    for read in different.values():
        right = read.value["recipient"] == want.to and read.value["claim_id"] == claim
        same = (read.value.get("notice"), read.value.get("approval")) == (want.notice, want.approval)
        if due == 0 or not right or not same or not post.is_right(want, read.value["to"]):
            yield _of(read, FindingCode.MAIL_TO_ANOTHER, "It does not go to whom the event concerns.")


def _uncalled(post: Post, reads: list[Read]) -> Iterator[Finding]:
    for read in reads:
        if not post.reading.is_broken(read.value["claim_id"]) and not post.is_of_ending(read):
            yield _of(read, FindingCode.MAIL_WITHOUT_EVENT, "No event calls for this mail.")


def _of(read: Read, code: FindingCode, sentence: str) -> Finding:
    """Without the address: a finding is no place for contact data."""
    named = {name: read.value[name] for name in ("claim_id", "kind", "mail_id")}
    claim, kind, mail = named.values()
    return finding(code, sentence, claim=claim, kind=kind, mail=mail, record=read.record.origin)
