"""Who says what to whom: every topic that carries published messages, with its key, its senders and its readers.

What a service keeps for itself (`cpor.<service>.slots`, `state`, `timers`, `parked`) is nobody else's business: it
stands in `cpor.runtime.topics` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cpor.domain.vocabulary import CommandName
from schemas.consent import RESPONSE
from schemas.inside import UNPARK_V2
from schemas.mail import BOUNCED, DEFERRED, DELIVERED, SUPERSEDED
from schemas.registry import ADMITTED, MESSAGES, MessageSpec

PARTNER = "<partner>"


class Side(StrEnum):
    """Everybody who sends or reads."""

    PARTNER = "partner"
    INTAKE = "intake"
    REVIEW = "review"
    CONSENT = "consent"
    DEADLINES = "deadlines"
    NOTIFY = "notify"
    DELIVERY = "delivery"
    BOUNCES = "bounces"
    OPERATORS = "operators"
    CUSTOMERS = "customers"
    INCENTIVES = "incentives"
    REFERENCE = "reference"
    USAGE = "usage"


SIDES: Mapping[Side, str] = {
    Side.PARTNER: "A partner's system; it may use its own three topics and no other.",
    Side.INTAKE: "Checks what partners send and admits it, or answers.",
    Side.REVIEW: "Decides every command; writes what is true.",
    Side.CONSENT: "Watches the customer's time to decline.",
    Side.DEADLINES: "Watches the clocks.",
    Side.NOTIFY: "Tells partners and customers.",
    Side.DELIVERY: "Sends mails.",
    Side.BOUNCES: "Reads the mailbox to which mails come back.",
    Side.OPERATORS: "Reviewers and operators with the command line.",
    Side.CUSTOMERS: "The page on which customers answer.",
    Side.INCENTIVES: "The systems that assess and pay.",
    Side.REFERENCE: "The feed of customers and subscriptions.",
    Side.USAGE: "Whoever grants partners access to usage data.",
}
#: Our services, each with its consumer group.
GROUPS: Mapping[Side, str] = {
    Side.INTAKE: "cpor.intake",
    Side.REVIEW: "cpor.review",
    Side.CONSENT: "cpor.consent",
    Side.DEADLINES: "cpor.deadlines",
    Side.NOTIFY: "cpor.notify",
    Side.DELIVERY: "cpor.notify-delivery",
}

Chosen = Callable[[str], bool]


def every(name: str) -> bool:
    return True


def _only(*names: str) -> Chosen:
    return frozenset(names).__contains__


def _starting(*starts: str) -> Chosen:
    return lambda name: name.startswith(starts)


_ADMITTED_AND_RESULTS = _starting(ADMITTED, "cpor.claim.park.", "cpor.eligibility.", "cpor.earning.")
_DESKS = _starting("cpor.review.", "cpor.ops.", UNPARK_V2)


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic. `senders`: which of its messages each sends. `placed`: in its tenant's partition, whatever the key."""

    topic: str
    key: str
    holds: str
    senders: Mapping[Side, Chosen]
    readers: tuple[Side, ...]
    placed: bool = False

    @property
    def name(self) -> str:
        """Without the partner: one channel for all of them."""
        return self.topic.removeprefix("cpor.").replace(f".{PARTNER}", "")

    @property
    def messages(self) -> tuple[MessageSpec, ...]:
        return tuple(spec for spec in MESSAGES.values() if self.topic in spec.topics)

    def sent_by(self, side: Side) -> tuple[MessageSpec, ...]:
        return tuple(spec for spec in self.messages if self.senders[side](spec.name))


def _from(*sides: Side) -> Mapping[Side, Chosen]:
    return dict.fromkeys(sides, every)


_S = Side
_OURS = f"cpor.partners.{PARTNER}"
#: In the order of contract §1.
CHANNELS: tuple[Channel, ...] = (
    Channel(f"{_OURS}.commands", "claim reference", "What a partner asks for.", _from(_S.PARTNER), (_S.INTAKE,)),
    Channel(
        f"{_OURS}.receipts", "claim reference", "One receipt for each record that a partner sent, in no order.",
        _from(_S.INTAKE, _S.REVIEW), (_S.PARTNER,),
    ),
    Channel(
        f"{_OURS}.updates", "claim reference", "Every change of the partner's claims, in order for each of them.",
        _from(_S.NOTIFY), (_S.PARTNER,),
    ),
    Channel(
        "cpor.claims.commands", "tenant", "Review's one inbox: everything that may change a claim.",
        {
            _S.INTAKE: _ADMITTED_AND_RESULTS,
            _S.CONSENT: _only(CommandName.CONSENT_OUTCOME),
            _S.DEADLINES: _only(CommandName.DEADLINE_EXPIRED, CommandName.OPS_END_SUBSCRIPTION),
            _S.OPERATORS: _DESKS,
        },
        (_S.REVIEW,),
    ),
    Channel(
        "cpor.claims.events", "tenant", "The truth: every change of every claim.", _from(_S.REVIEW),
        (_S.CONSENT, _S.DEADLINES, _S.NOTIFY, _S.OPERATORS),
    ),
    Channel(
        "cpor.claims.state", "claim id", "The newest snapshot of each claim.", _from(_S.REVIEW),
        (_S.CUSTOMERS, _S.OPERATORS),
        placed=True,
    ),
    Channel(
        "cpor.claims.associations", "unit id", "Who holds a unit; a record without a value when nobody does.",
        _from(_S.REVIEW), (_S.USAGE, _S.OPERATORS), placed=True,
    ),
    Channel(
        "cpor.claims.approved", "claim id", "Approvals, their revocations and ends.",
        _from(_S.REVIEW), (_S.INCENTIVES,), placed=True,
    ),
    Channel(
        "cpor.claims.eligible", "claim id", "Hand-offs to the incentive systems, once per approval; revocations, ends.",
        _from(_S.REVIEW), (_S.INCENTIVES,), placed=True,
    ),
    Channel(
        "cpor.consent.responses", "tenant", "What customers answered.",
        {_S.CUSTOMERS: _only(RESPONSE), _S.OPERATORS: every}, (_S.CONSENT, _S.CUSTOMERS, _S.OPERATORS),
    ),
    Channel(
        "cpor.incentives.results", "tenant", "What the incentive systems decided; intake forwards it to the inbox.",
        _from(_S.INCENTIVES), (_S.INTAKE,),
    ),
    Channel(
        "cpor.consent.events", "tenant", "What consent does, for information.",
        _from(_S.CONSENT), (_S.NOTIFY, _S.CUSTOMERS, _S.OPERATORS),
    ),
    Channel(
        "cpor.deadlines.events", "tenant", "Reminders and missed deadlines, for information.",
        _from(_S.DEADLINES), (_S.NOTIFY, _S.OPERATORS),
    ),
    Channel("cpor.notify.mail", "tenant", "Every mail, rendered once.", _from(_S.NOTIFY), (_S.DELIVERY, _S.CUSTOMERS)),
    Channel("cpor.notify.resend", "tenant", "Mails that are sent again.", _from(_S.NOTIFY), (_S.DELIVERY,)),
    Channel(
        "cpor.notify.deliveries", "tenant", "What became of each mail.",
        {
            _S.DELIVERY: _only(DELIVERED, DEFERRED, BOUNCED),
            _S.BOUNCES: _only(BOUNCED),
            _S.NOTIFY: _only(SUPERSEDED),
        },
        (_S.CONSENT, _S.NOTIFY, _S.DELIVERY, _S.BOUNCES, _S.CUSTOMERS, _S.OPERATORS),
    ),
    Channel(
        "cpor.reference.partners", "partner id", "Partners with locations and users.",
        _from(_S.OPERATORS), (_S.INTAKE, _S.REVIEW, _S.NOTIFY, _S.CUSTOMERS, _S.OPERATORS),
    ),
    Channel(
        "cpor.reference.customers", "tenant", "Customers.",
        _from(_S.REFERENCE, _S.OPERATORS), (_S.REVIEW, _S.NOTIFY, _S.CUSTOMERS, _S.OPERATORS),
    ),
    Channel(
        "cpor.reference.subscriptions", "subscription id", "Subscriptions.",
        _from(_S.REFERENCE, _S.OPERATORS), (_S.REVIEW, _S.DEADLINES, _S.NOTIFY, _S.OPERATORS), placed=True,
    ),
    Channel(
        "cpor.dead-letters", "the original's", "What could not be processed, whole, with `dlq_*` headers.",
        _from(*GROUPS), (_S.OPERATORS,),
    ),
    Channel(
        "cpor.audit", "operator", "What operators did by hand, and why.", _from(_S.OPERATORS), (_S.OPERATORS,),
    ),
)  # fmt: skip


def read_by(side: Side) -> list[str]:
    """The topics that a side reads."""
    return [each.topic for each in CHANNELS if side in each.readers]
