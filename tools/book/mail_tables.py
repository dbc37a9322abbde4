"""The mails of the rule book: which there are, when each is sent, to whom, and in which edition (domain §3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cpor.domain.policy import Notice, Policy
from cpor.domain.vocabulary import Status
from schemas.mail import CLASSES, MailKind, Recipient
from tools.book.markdown import EDITIONS, NONE, table

K = MailKind


def _always(rules: Policy) -> bool:
    return True


def _noticed(notice: Notice) -> Callable[[Policy], bool]:
    return lambda rules: notice in rules.submission.customer_notices


def _ends_finally(rules: Policy) -> bool:
    return rules.dispute.lost_status is Status.REJECTED_FINAL


def _disassociates(rules: Policy) -> bool:
    return bool(rules.endings.disassociate_from)


@dataclass(frozen=True, slots=True)
class Letter:
    """`when` it is sent, in words; `has`: whether an edition has it."""

    to: Recipient
    when: str
    source: str
    has: Callable[[Policy], bool] = _always


_TO = Recipient
#: A copy of what the partner gets goes to the user who submitted, by preference (D28).
LETTERS: Mapping[MailKind, Letter] = {
    K.CUSTOMER_REQUESTED: Letter(
        _TO.CUSTOMER, "submitted; resubmitted with other workloads, location or contact", "R29 D3 D15",
        _noticed(Notice.SUBMITTED),
    ),
    K.CUSTOMER_APPROVED: Letter(
        _TO.CUSTOMER, "approved; the notice is sent again", "R45 R46 D3 D20", _noticed(Notice.APPROVED)
    ),
    K.INFORMATION_REQUESTED: Letter(_TO.PARTNER, "a reviewer asks for information", "R32 R33 R34 T6"),
    K.COMMENTED: Letter(_TO.PARTNER, "a reviewer or the system comments, in any status", "R31 D26"),
    K.COMPETING: Letter(_TO.PARTNER, "another claim competes: to both sides, without names", "R21 D17"),
    K.APPROVED: Letter(_TO.PARTNER, "approved; it says that this is no promise of payment", "R44 T7 T16a"),
    K.REJECTED: Letter(
        _TO.PARTNER, "rejected; it says where the reason stands, and how to dispute until when", "R37 D7 T8 T9 T11 T20"
    ),
    K.REJECTED_FINAL: Letter(_TO.PARTNER, "a dispute is lost, or the customer declines during one", "R42 T16b T11b",
                             _ends_finally),
    K.WITHDRAWN: Letter(_TO.PARTNER, "the partner withdrew", "T14 D8"),
    K.DISASSOCIATED: Letter(
        _TO.PARTNER, "the partner disassociated; nothing in it speaks of proof", "R51 T13 D8", _disassociates
    ),
    K.OFFICIAL: Letter(_TO.PARTNER, "the wait is over: the association is official", "R47 R48 T12"),
    K.NOTICE_UNDELIVERED: Letter(_TO.PARTNER, "the customer's notice did not arrive: the contact may be mended", "D20"),
    K.ASSOCIATION_ENDED: Letter(_TO.PARTNER, "units were lost to another claim, or the subscription is over",
                                "T19 D16 D17"),
    K.REASSOCIATE: Letter(_TO.PARTNER, f"{EDITIONS[0].facts.legacy_notice_days} days before a known end", "R22 D23"),
    K.DEADLINE_NEAR: Letter(
        _TO.PARTNER, "half time, and one business day before the end, of an answer or of the dispute window",
        "R33 R39 D15",
    ),
    K.WINDOW_CLOSED: Letter(_TO.PARTNER, "the dispute window has closed", "R39 T17"),
    K.DEADLINE_MISSED: Letter(_TO.OPERATIONS, "a clock of the reviewers has run out", "§2.3 D5"),
    K.OPERATOR_TASK: Letter(_TO.OPERATIONS, "a notice bounced or is not known to have arrived; an answer is held",
                            "D20"),
}  # fmt: skip


def mails() -> str:
    head = ("mail", "to", "sent when", *(rules.edition for rules in EDITIONS), "mandatory", "source")
    return table(head, [_row(kind, letter) for kind, letter in LETTERS.items()])


def _row(kind: MailKind, letter: Letter) -> tuple[str, ...]:
    text = f"[`{kind}`](../services/notify/templates/{kind}/en/body.txt)"
    has = ("yes" if letter.has(rules) else NONE for rules in EDITIONS)
    mandatory = "yes" if CLASSES[kind].mandatory else NONE
    return text, letter.to, letter.when, *has, mandatory, letter.source
