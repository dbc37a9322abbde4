"""Every message there is: its type, model, topics and family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cpor.domain.vocabulary import CommandName
from schemas import (
    associations,
    audit,
    claim_events,
    claim_state,
    consent,
    dead_letters,
    deadlines,
    handoff,
    inbox,
    incentives,
    mail,
    partner_commands,
    receipts,
    reference,
    updates,
)
from schemas.base import Message

#: Before the type in the name of an admitted command, which keeps the `ce_type` of the partner's.
ADMITTED = "inbox/"


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """`name` is the `ce_type`; for an admitted partner command, `inbox/` and the `ce_type`."""

    name: str
    model: type[Message]
    family: str
    topics: tuple[str, ...]
    description: str

    @property
    def ce_type(self) -> str:
        return self.name.removeprefix(ADMITTED)


def _described(model: type[Message]) -> str:
    return (model.__doc__ or "").strip().split("\n")[0]


Models = Mapping[str, type[Message]]

_PARTNER = ("cpor.partners.<partner>.commands",)
_RECEIPTS = ("cpor.partners.<partner>.receipts",)
_UPDATES = ("cpor.partners.<partner>.updates",)
_INBOX = ("cpor.claims.commands",)
_APPROVED = ("cpor.claims.approved",)
_ELIGIBLE = ("cpor.claims.eligible",)
_RESULTS = ("cpor.incentives.results", "cpor.claims.commands")

_FAMILIES: tuple[tuple[str, tuple[str, ...], Models], ...] = (
    ("partner_commands", _PARTNER, partner_commands.PARTNER_COMMANDS),
    ("inbox", _INBOX, {ADMITTED + name: model for name, model in inbox.INBOX_FROM_PARTNERS.items()}),
    ("inbox", _INBOX, inbox.INBOX_FROM_INSIDE),
    ("receipts", _RECEIPTS, {receipts.RECEIPT: receipts.Receipt}),
    ("updates", _UPDATES, {updates.UPDATE: updates.Update}),
    (
        "claim_events",
        ("cpor.claims.events",),
        {name.ce_type: model for name, model in claim_events.CLAIM_EVENTS.items()},
    ),
    ("claim_state", ("cpor.claims.state",), {claim_state.STATE: claim_state.ClaimState}),
    ("associations", ("cpor.claims.associations",), {associations.ASSOCIATION: associations.Association}),
    (
        "handoff",
        _APPROVED,
        {
            handoff.APPROVED: handoff.Approved,
            handoff.APPROVED_REVOKED: handoff.Revoked,
            handoff.APPROVED_ENDED: handoff.Ended,
        },
    ),
    (
        "handoff",
        _ELIGIBLE,
        {
            handoff.ELIGIBLE: handoff.Eligible,
            handoff.ELIGIBLE_REVOKED: handoff.Revoked,
            handoff.ELIGIBLE_ENDED: handoff.Ended,
        },
    ),
    (
        "incentives",
        _RESULTS,
        {CommandName.ELIGIBILITY_RESULT: incentives.EligibilityResult, CommandName.EARNING: incentives.Earning},
    ),
    ("consent", ("cpor.consent.responses",), {consent.RESPONSE: consent.Response, consent.CHECKED: consent.Checked}),
    (
        "consent",
        ("cpor.consent.events",),
        {
            consent.REQUESTED: consent.Requested,
            consent.DECLINED: consent.Declined,
            consent.AGREED: consent.Agreed,
            consent.HELD: consent.Held,
            consent.DISMISSED: consent.Dismissed,
            consent.COMPLETED: consent.Completed,
            consent.SUSPENDED: consent.Suspended,
            consent.IGNORED: consent.Ignored,
        },
    ),
    (
        "deadlines",
        ("cpor.deadlines.events",),
        {deadlines.REMINDER: deadlines.Reminder, deadlines.MISSED: deadlines.Missed},
    ),
    ("mail", ("cpor.notify.mail", "cpor.notify.resend"), {mail.MAIL: mail.Mail}),
    (
        "mail",
        ("cpor.notify.deliveries",),
        {
            mail.DELIVERED: mail.Delivered,
            mail.DEFERRED: mail.Deferred,
            mail.BOUNCED: mail.Bounced,
            mail.SUPERSEDED: mail.Superseded,
        },
    ),
    ("reference", ("cpor.reference.partners",), {reference.PARTNER: reference.Partner}),
    ("reference", ("cpor.reference.customers",), {reference.CUSTOMER: reference.Customer}),
    ("reference", ("cpor.reference.subscriptions",), {reference.SUBSCRIPTION: reference.Subscription}),
    ("dead_letters", ("cpor.dead-letters",), {dead_letters.DEAD_LETTER: dead_letters.DeadLetter}),
    (
        "audit",
        ("cpor.audit",),
        {
            audit.ANSWER_RECORDED: audit.AnswerRecorded,
            audit.ANSWER_CHECKED: audit.AnswerChecked,
            audit.COMMAND_GIVEN: audit.CommandGiven,
            audit.PARTNER_ADDED: audit.PartnerAdded,
            audit.REFERENCE_LOADED: audit.ReferenceLoaded,
        },
    ),
)


def _specs() -> Iterator[MessageSpec]:
    for family, topics, models in _FAMILIES:
        for name, model in models.items():
            yield MessageSpec(str(name), model, family, topics, _described(model))


MESSAGES: Mapping[str, MessageSpec] = {spec.name: spec for spec in _specs()}
