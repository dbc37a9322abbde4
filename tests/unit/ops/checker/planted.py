"""Every fault there is, planted into the log of `whole.a_life`, with what the checker must say of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from cpor.domain import ids
from cpor.domain.vocabulary import CommandName, EventName, PartnerId
from cpor.ops.checker import FindingCode, PipelineLog
from cpor.runtime.topics import receipts_topic
from schemas import handoff
from tests.unit.ops.checker.planting import (
    change,
    double,
    drop,
    drop_all,
    key,
    later,
    move,
    of,
    retold,
    rewrite,
    rewritten,
    the_last,
    value_of,
    with_headers,
)
from tests.unit.ops.checker.whole import N
from tests.unit.review.pipeline import SUBSCRIPTION, TENANT

F = FindingCode
E = EventName
Plant = Callable[[PipelineLog], PipelineLog]

FIRST, RIVAL = ids.claim_id(PartnerId("P-1"), "first"), ids.claim_id(PartnerId("P-2"), "rival")
DRAFT, WEAK = ids.claim_id(PartnerId("P-1"), "draft"), ids.claim_id(PartnerId("P-1"), "weak")
ADVICE, USAGE = ids.claim_id(PartnerId("P-1"), "advice"), ids.claim_id(PartnerId("P-1"), "usage")
TEAMS, INTUNE = ids.workload_unit(TENANT, "teams"), ids.workload_unit(TENANT, "intune")
SOLD = f"{TENANT}/subscription/{SUBSCRIPTION}"
HERE = ids.tenant_partition(TENANT, N)
ELSEWHERE = (HERE + 1) % N
NOBODY = ids.name_id("nobody")


def copy_of_state(log: PipelineLog) -> PipelineLog:
    """A snapshot of a claim that has no events."""
    row = the_last(log, "states", of(claim_id=DRAFT))
    orphan = rewritten(later(log, row), claim_id=NOBODY)._replace(key=NOBODY.encode())
    return replace(log, states=(*log.states, orphan))


def an_earlier_row(log: PipelineLog) -> PipelineLog:
    """The association stays as it was before the claim's last role joined or left."""
    return drop(log, "associations", key(SOLD))


def a_reviewer_unheard(log: PipelineLog) -> PipelineLog:
    asked = the_last(log, "inbox", of(CommandName.REVIEW_START))
    again = with_headers(later(log, asked), ce_id=ids.name_id("unheard"))
    return replace(log, inbox=(*log.inbox, again))


def a_message_unsent(log: PipelineLog) -> PipelineLog:
    sent = the_last(log, "commands", key("usage"))
    answer = ids.receipt_id(sent.topic, sent.partition, sent.offset).encode()
    without = drop(log, "commands", lambda record: record is sent)
    return drop(without, "receipts", lambda record: dict(record.headers)["ce_id"] == answer)


def a_late_comment(log: PipelineLog) -> PipelineLog:
    """On a cancelled claim, its sequence and id in order, caused by the cancellation."""
    comment = the_last(log, "events", of(E.COMMENTED.ce_type, claim_id=DRAFT))
    end = the_last(log, "events", of(E.CANCELLED.ce_type))
    late = rewritten(later(log, comment), sequence=6, status="cancelled")
    cause = dict(end.headers)["ce_causationid"].decode()
    told = with_headers(late, ce_id=ids.event_id(DRAFT, 6), ce_sequence="6", ce_causationid=cause)
    return replace(log, events=(*log.events, told))


def a_comment_to_begin_with(log: PipelineLog) -> PipelineLog:
    first = the_last(log, "events", of(E.DRAFTED.ce_type))
    comment = value_of(the_last(log, "events", of(E.COMMENTED.ce_type, claim_id=DRAFT)))
    record = first._replace(value=json.dumps({**comment, "sequence": 1}).encode())
    told = with_headers(record, ce_type=E.COMMENTED.ce_type)
    return change(log, "events", of(E.DRAFTED.ce_type), lambda _: [told])


def taken_back_too_early(log: PipelineLog) -> PipelineLog:
    """Offsets of `eligible` and of its revocation are swapped."""
    mine = [each for each in log.eligible if each.key == FIRST.encode()]
    given, taken = mine[0], mine[-1]
    others = tuple(each for each in log.eligible if each not in (given, taken))
    swapped = (given._replace(offset=taken.offset), taken._replace(offset=given.offset))
    return replace(log, eligible=(*others, *swapped))


PLANTED: dict[str, tuple[Plant, set[FindingCode]]] = {
    "a receipt is dropped": (lambda log: drop(log, "receipts", of(claim_ref="draft")), {F.RECEIPT_MISSING}),
    "a receipt is doubled": (lambda log: double(log, "receipts", of(claim_ref="draft")), {F.RECEIPT_DOUBLED}),
    "a receipt of intake is doubled": (
        lambda log: double(log, "receipts", of(code="claim_unknown")),
        {F.RECEIPT_DOUBLED},
    ),
    "a receipt is for another record": (
        lambda log: retold(log, "receipts", of(claim_ref="weak"), ce_id=NOBODY),
        {F.RECEIPT_MISSING, F.RECEIPT_WITHOUT_RECORD},
    ),
    "a receipt goes to another partner": (
        lambda log: move(log, "receipts", of(claim_ref="rival"), topic=receipts_topic("P-1"), offset=99_999),
        {F.RECEIPT_MISPLACED},
    ),
    "a receipt lies under another reference": (
        lambda log: move(log, "receipts", of(claim_ref="rival"), key=b"revel"),
        {F.RECEIPT_MISPLACED},
    ),
    "a receipt names another message": (
        lambda log: rewrite(log, "receipts", of(claim_ref="rival"), message_id="m-0"),
        {F.RECEIPT_MISPLACED},
    ),
    "an accepted message is called rejected": (
        lambda log: rewrite(log, "receipts", of(claim_ref="rival"), outcome="rejected", code="poe_missing"),
        {F.REFUSED_WITH_EVENT},
    ),
    "a refused message is called accepted": (
        lambda log: rewrite(log, "receipts", of(code="poe_missing"), outcome="accepted", code="accepted"),
        {F.ACCEPTED_WITHOUT_EVENT},
    ),
    "a message that was not admitted is called accepted": (
        lambda log: rewrite(log, "receipts", of(code="claim_unknown"), outcome="accepted", code="accepted"),
        {F.ACCEPTED_WITHOUT_INBOX},
    ),
    "a new message is called a duplicate": (
        lambda log: rewrite(
            log,
            "receipts",
            of(code="claim_unknown"),
            outcome="duplicate",
            code="duplicate",
            original={"outcome": "admitted"},
        ),
        {F.DUPLICATE_OF_NOTHING},
    ),
    "a duplicate of an admitted message is called one of a rejected": (
        lambda log: rewrite(
            log, "receipts", of(code="duplicate"), original={"outcome": "rejected", "code": "poe_missing"}
        ),
        {F.DUPLICATE_OF_NOTHING},
    ),
    "intake answers what it admitted": (
        lambda log: retold(log, "receipts", of(claim_ref="rival"), ce_source="/services/intake"),
        {F.REFUSED_THOUGH_ADMITTED},
    ),
    "an admitted message is in the inbox twice": (
        lambda log: double(log, "inbox", of(CommandName.CANCEL)),
        {F.INBOX_DOUBLED},
    ),
    "a message in the inbox was never sent": (a_message_unsent, {F.INBOX_WITHOUT_RECORD}),
    "a message in the inbox has an id of its own": (
        lambda log: retold(log, "inbox", of(CommandName.EDIT), ce_id=NOBODY),
        {F.WRONG_ID, F.EVENT_WITHOUT_CAUSE},
    ),
    "a reviewer is not answered": (a_reviewer_unheard, {F.COMMAND_UNANSWERED}),
    "an event is dropped": (
        lambda log: drop(log, "events", of(E.COMMENTED.ce_type, claim_id=DRAFT)),
        {F.SEQUENCE_GAP, F.ACCEPTED_WITHOUT_EVENT},
    ),
    "the newest event is dropped": (
        lambda log: drop(log, "events", of(E.CANCELLED.ce_type)),
        {F.STATE_WRONG, F.ACCEPTED_WITHOUT_EVENT},
    ),
    "an event is doubled": (
        lambda log: double(log, "events", of(E.CANCELLED.ce_type)),
        {F.SEQUENCE_DOUBLED, F.DECIDED_TWICE},
    ),
    "a history begins in the middle": (
        lambda log: drop(log, "events", of(E.DRAFTED.ce_type)),
        {F.SEQUENCE_GAP, F.ACCEPTED_WITHOUT_EVENT},
    ),
    "a history begins with a comment": (a_comment_to_begin_with, {F.BROKEN_BEGINNING}),
    "an event has an id of its own": (
        lambda log: retold(log, "events", of(E.CANCELLED.ce_type), ce_id=NOBODY),
        {F.WRONG_ID},
    ),
    "an event says another sequence in its header": (
        lambda log: retold(log, "events", of(E.CANCELLED.ce_type), ce_sequence="4"),
        {F.WRONG_ID},
    ),
    "a claim's id is not that of its reference": (
        lambda log: rewrite(log, "events", of(E.DRAFTED.ce_type), claim_ref="drift"),
        {F.WRONG_ID, F.STATE_WRONG},
    ),
    "an event comes from nowhere": (
        lambda log: retold(log, "events", of(E.CONSENT_COMPLETED.ce_type), ce_causationid=NOBODY),
        {F.EVENT_WITHOUT_CAUSE},
    ),
    "a step is not in the table": (
        lambda log: rewrite(log, "events", of(E.REJECTED_FINAL.ce_type, claim_id=WEAK), status="rejected"),
        {F.ILLEGAL_TRANSITION, F.STATE_WRONG},
    ),
    "a cancelled claim is commented on": (a_late_comment, {F.AFTER_THE_END, F.STATE_WRONG}),
    "a snapshot says something else": (
        lambda log: rewrite(log, "states", of(claim_id=DRAFT), comment_count=9),
        {F.STATE_WRONG},
    ),
    "a snapshot is one event behind": (lambda log: drop(log, "states", of(claim_id=FIRST)), {F.STATE_WRONG}),
    "a claim has no snapshot": (lambda log: drop_all(log, "states", of(claim_id=DRAFT)), {F.STATE_MISSING}),
    "a snapshot is of no claim": (copy_of_state, {F.STATE_WITHOUT_EVENTS}),
    "a claim takes a unit that another partner holds": (
        lambda log: rewrite(log, "events", of(E.APPROVED.ce_type, claim_id=ADVICE), units=[TEAMS]),
        {F.TWO_HOLDERS, F.STATE_WRONG, F.HANDOFF_WRONG, F.ASSOCIATION_WITHOUT_HOLDER},
    ),
    "a unit is given up that was not held": (
        lambda log: rewrite(
            log, "events", of(E.ASSOCIATION_ENDED.ce_type, claim_id=FIRST), units=[TEAMS, f"{TENANT}/workload/yammer"]
        ),
        {F.UNITS_NOT_HELD, F.HANDOFF_WRONG},
    ),
    "a rejected claim keeps its unit": (
        lambda log: rewrite(log, "events", of(E.REJECTED.ce_type, claim_id=FIRST), units_released=[]),
        {F.UNITS_NOT_RELEASED, F.HANDOFF_WITHOUT_EVENT},
    ),
    "a held unit has no association": (
        lambda log: drop_all(log, "associations", key(TEAMS)),
        {F.ASSOCIATION_MISSING},
    ),
    "an association is stale": (an_earlier_row, {F.ASSOCIATION_WRONG}),
    "an association names another partner": (
        lambda log: rewrite(log, "associations", key(TEAMS), partner_id="P-1"),
        {F.ASSOCIATION_WRONG},
    ),
    "an association was not taken away": (
        lambda log: drop(log, "associations", key(INTUNE)),
        {F.ASSOCIATION_WITHOUT_HOLDER},
    ),
    "an approval is not handed off": (
        lambda log: drop(log, "approved", of(handoff.APPROVED, claim_id=RIVAL)),
        {F.HANDOFF_MISSING},
    ),
    "an approval is handed off twice": (
        lambda log: double(log, "approved", of(handoff.APPROVED, claim_id=RIVAL)),
        {F.HANDOFF_DOUBLED},
    ),
    "an approval is handed off twice under another id": (
        lambda log: change(
            log,
            "approved",
            of(handoff.APPROVED, claim_id=RIVAL),
            lambda record: [record, with_headers(later(log, record), ce_id=NOBODY)],
        ),
        {F.HANDOFF_DOUBLED},
    ),
    "a completed consent is not handed off": (
        lambda log: drop(log, "eligible", of(handoff.ELIGIBLE, claim_id=ADVICE)),
        {F.HANDOFF_MISSING},
    ),
    "a completed consent is handed off twice": (
        lambda log: double(log, "eligible", of(handoff.ELIGIBLE, claim_id=ADVICE)),
        {F.HANDOFF_DOUBLED},
    ),
    "a revocation is missing": (
        lambda log: drop(log, "eligible", of(handoff.ELIGIBLE_REVOKED, claim_id=FIRST)),
        {F.HANDOFF_MISSING},
    ),
    "a claim is eligible before the consent": (
        lambda log: rewrite(log, "eligible", of(handoff.ELIGIBLE, claim_id=ADVICE), claim_id=RIVAL),
        {F.HANDOFF_WRONG, F.WRONG_KEY},
    ),
    "an approval nobody gave is handed off": (
        lambda log: retold(
            rewrite(log, "approved", of(handoff.APPROVED, claim_id=RIVAL), approval=9),
            "approved",
            of(handoff.APPROVED, claim_id=RIVAL),
            ce_id=NOBODY,
        ),
        {F.HANDOFF_WITHOUT_EVENT, F.HANDOFF_MISSING},
    ),
    "a hand-off says something else": (
        lambda log: rewrite(log, "eligible", of(handoff.ELIGIBLE, claim_id=ADVICE), incentive="none"),
        {F.HANDOFF_WRONG},
    ),
    "a hand-off has an id of its own": (
        lambda log: retold(log, "eligible", of(handoff.ELIGIBLE, claim_id=ADVICE), ce_id=NOBODY),
        {F.WRONG_ID},
    ),
    "a hand-off is taken back before it is given": (taken_back_too_early, {F.HANDOFF_OUT_OF_ORDER}),
    "an approval lies in another tenant's partition": (
        lambda log: move(log, "approved", of(claim_id=RIVAL), partition=ELSEWHERE),
        {F.WRONG_PARTITION},
    ),
    "a snapshot lies in another tenant's partition": (
        lambda log: move(log, "states", of(claim_id=DRAFT), partition=ELSEWHERE),
        {F.WRONG_PARTITION},
    ),
    "an event lies in another tenant's partition": (
        lambda log: move(log, "events", of(E.CANCELLED.ce_type), partition=N),
        {F.WRONG_PARTITION},
    ),
    "a command lies in another tenant's partition": (
        lambda log: move(log, "inbox", of(CommandName.CANCEL), partition=ELSEWHERE),
        {F.WRONG_PARTITION},
    ),
    "an association lies in another tenant's partition": (
        lambda log: move(log, "associations", key(TEAMS), partition=ELSEWHERE),
        {F.WRONG_PARTITION},
    ),
    "an event lies under another key": (
        lambda log: move(log, "events", of(E.CANCELLED.ce_type), key=b"contoso"),
        {F.WRONG_KEY},
    ),
    "an event has a type nobody knows": (
        lambda log: retold(log, "events", of(E.CANCELLED.ce_type), ce_type="cpor.claim.vanished.v1"),
        {F.UNREADABLE, F.STATE_WRONG, F.ACCEPTED_WITHOUT_EVENT},
    ),
    "an event has no value": (
        lambda log: move(log, "events", of(E.CANCELLED.ce_type), value=None),
        {F.UNREADABLE, F.STATE_WRONG, F.ACCEPTED_WITHOUT_EVENT},
    ),
    "a receipt has a field no schema knows": (
        lambda log: rewrite(log, "receipts", of(claim_ref="rival"), mood="good"),
        {F.OFF_SCHEMA, F.RECEIPT_MISSING},
    ),
}
