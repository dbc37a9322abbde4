"""Mails: each that the events call for is there once, to the right address, and no other (domain §3, D28)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cached_property

from cpor.domain import ids
from cpor.domain.directory import read_partner
from cpor.domain.policy import policy
from cpor.domain.reference import User
from cpor.domain.vocabulary import MailWanted, UserRole, parse_instant
from cpor.ops.checker.called_for import Expected, Identity, expected
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import NOTIFY
from cpor.ops.checker.reading import History, Read, Reading
from schemas.mail import SUPERSEDED, MailKind, Recipient

_DAY_MS = 86_400_000
#: What a partner's user may switch off, written down a second time.
OPTIONAL = (MailKind.APPROVED, MailKind.WITHDRAWN, MailKind.DISASSOCIATED, MailKind.OFFICIAL, MailKind.WINDOW_CLOSED)
#: 1970-01-01 as `date.toordinal` counts.
_EPOCH = date(1970, 1, 1).toordinal()


class Post:
    """The mails that were written beside those that should have been."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.expected = {each.identity: each for each in expected(reading)}
        self.causes = {(each.cause, each.kind.value) for each in self.expected.values()}
        self.written: dict[Identity, list[Read]] = {}
        for read in reading.mails:
            identity = (read.value["cause"], read.value["kind"], read.value["recipient"])
            self.written.setdefault(identity, []).append(read)
        #: Not sent any more: the same may have been told to the contact that came after.
        self.superseded = {str(read.value["mail_id"]) for read in reading.deliveries if read.type == SUPERSEDED}

    @cached_property
    def users(self) -> dict[str, list[User]]:
        """Each partner's users, of today and before."""
        found: dict[str, list[User]] = {}
        for record in self.reading.log.directory:
            try:
                entry = read_partner(record.value or b"{}")
            except ValueError:
                continue  # It counts as absent, and so do its users.
            found.setdefault(entry.partner_id, []).extend(entry.users)
        return found

    def admins(self, history: History) -> set[str]:
        """Who hears of a claim that has no contact (D23)."""
        users = self.users.get(history.state.partner_id, ())
        return {each.email for each in users if each.role == UserRole.INCENTIVES_ADMIN}

    def copied(self, history: History) -> set[str]:
        """The user who submitted, by preference (D28)."""
        users = self.users.get(history.state.partner_id, ())
        return {each.email for each in users if each.user_id == history.state.submitted_by and each.copy_on_mail}

    def number_due(self, want: Expected) -> int | None:
        """How many mails there must be; None where only the directory of that hour could tell."""
        if want.to == Recipient.OPERATIONS:
            operations = self.reading.log.operations
            return None if operations is None else int(operations != "")
        if want.to == Recipient.PARTNER_USER:
            return None
        if want.to == Recipient.CUSTOMER:
            return 1 if want.addresses() else 0
        return 1 if want.addresses() and not self.may_be_unwanted(want) else None

    def may_be_unwanted(self, want: Expected) -> bool:
        """Domain §5 row 32: the contact is a user who, at some time, wanted no mails of this kind."""
        users = self.users.get(want.history.state.partner_id, ()) if want.kind in OPTIONAL else ()
        addresses = {each.casefold() for each in want.addresses()}
        return any(each.email.casefold() in addresses and each.mail == MailWanted.MANDATORY for each in users)

    def is_right(self, want: Expected, address: str) -> bool:
        if want.to == Recipient.OPERATIONS:
            return self.reading.log.operations in (None, address)
        if want.to == Recipient.PARTNER_USER:
            return address in self.copied(want.history)
        known = want.addresses() | (self._contacts(want) if self.was_superseded(want) else set())
        return address in (known if known or want.to == Recipient.CUSTOMER else self.admins(want.history))

    def was_superseded(self, want: Expected) -> bool:
        return any(read.value["mail_id"] in self.superseded for read in self.written.get(want.identity, ()))

    def _contacts(self, want: Expected) -> set[str]:
        """All that the claim had from then on."""
        return replace(want, at_most=len(want.history.steps)).addresses()

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
        return address in (contacts or self.admins(history)) | self.copied(history)


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
    standing = different.keys() - post.superseded
    if due is not None and len(standing) > max(due, 1):
        sentence = f"There are {len(different)} mails of one event, kind and recipient."
        yield _of(list(different.values())[1], FindingCode.MAIL_DOUBLED, sentence)
    for read in different.values():
        right = read.value["claim_id"] == claim
        same = (read.value.get("notice"), read.value.get("approval")) == (want.notice, want.approval)
        if due == 0 or not right or not same or not post.is_right(want, read.value["to"]):
            yield _of(read, FindingCode.MAIL_TO_ANOTHER, "It does not go to whom the event concerns.")


def _uncalled(post: Post, reads: list[Read]) -> Iterator[Finding]:
    for read in reads:
        if post.reading.is_broken(read.value["claim_id"]) or post.is_of_ending(read):
            continue
        if (read.value["cause"], read.value["kind"]) in post.causes:
            yield _of(read, FindingCode.MAIL_TO_ANOTHER, "It does not go to whom the event concerns.")
        else:
            yield _of(read, FindingCode.MAIL_WITHOUT_EVENT, "No event calls for this mail.")


def _of(read: Read, code: FindingCode, sentence: str) -> Finding:
    """Without the address: a finding is no place for contact data."""
    named = {name: read.value[name] for name in ("claim_id", "kind", "mail_id")}
    claim, kind, mail = named.values()
    return finding(code, sentence, claim=claim, kind=kind, mail=mail, record=read.record.origin)
