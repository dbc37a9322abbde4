"""Where the customer's consent to a claim stands: notices and whether they arrived, the wait, answers (D4, D9, D20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic_core import from_json

from cpor.domain.ids import tenant_partition
from cpor.domain.model import ClaimState, ConsentStage
from cpor.domain.policy import policy
from cpor.domain.vocabulary import RejectionReason, Status, SuspensionReason, instant_text
from cpor.ops.answers import VERDICTS
from cpor.ops.directory import claim_partitions
from cpor.ops.instance import Instance
from cpor.ops.reading import open_reader, partition_counts, read_to_ends
from cpor.ops.screen import moment
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.topics import Topic
from schemas import envelope
from schemas.consent import CHECKED, REQUESTED, RESPONSE
from schemas.mail import BOUNCED, DEFERRED, DELIVERED, SUPERSEDED

_DELIVERIES = {DELIVERED: "delivered", DEFERRED: "deferred", BOUNCED: "bounced", SUPERSEDED: "superseded"}
#: What lies in a tenant's partition about consent.
TOPICS = (Topic.CONSENT_EVENTS, Topic.CONSENT_RESPONSES, Topic.DELIVERIES)


@dataclass(slots=True)
class Notice:
    """A notice to the customer; times are RFC 3339. `delivery`: on_its_way, delivered, deferred, bounced,
    superseded.
    """

    id: str
    at: str
    notice: str
    approval: int | None
    delivery: str = "on_its_way"
    delivered_at: str | None = None
    next_at: str | None = None
    reply: str | None = None
    mail_id: str | None = None


@dataclass(slots=True)
class Answered:
    """An answer on the topic; `verdict`: waiting (not judged yet), declined, agreed, held, ignored."""

    id: str
    received_at: str
    answer: str
    channel: str
    operator: str | None
    answered_at: str | None
    note: str | None
    verdict: str = "waiting"
    counts_from: str | None = None
    reason: str | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """All that was asked and answered, in order."""

    notices: tuple[Notice, ...]
    answers: tuple[Answered, ...]


def read_standing(instance: Instance, state: ClaimState) -> Standing:
    """From the topics, as of now."""
    place = tenant_partition(state.form.tenant_id, claim_partitions(partition_counts(instance.transport)))
    with open_reader(instance.transport) as reader:
        records = list(read_to_ends(reader, [TopicPartition(topic, place) for topic in TOPICS]))
    return standing_of(records, state.claim_id)


def standing_of(records: Iterable[Record], claim_id: str) -> Standing:
    """Records of a partition, each topic in its order, as one claim's story."""
    about = [each for each in map(_told, records) if each is not None and each.value.get("claim_id") == claim_id]
    requests = {each.id: _notice(each) for each in about if each.type == REQUESTED}
    answers = [_answered(each) for each in about if each.type == RESPONSE]
    checks = {each.id: str(each.value["response_id"]) for each in about if each.type == CHECKED}
    for each in about:
        if each.type in _DELIVERIES and each.value["cause"] in requests:
            _deliver(requests[each.value["cause"]], each)
        elif each.type in VERDICTS:
            _judge(answers, each, checks)
    return Standing(tuple(requests.values()), tuple(answers))


@dataclass(frozen=True, slots=True)
class _Told:
    type: str
    id: str
    causation: str
    appended_at: int
    value: Mapping[str, Any]


def _told(record: Record) -> _Told | None:
    """None for what is not JSON: it lies among the dead letters."""
    told = envelope.read_envelope(record.headers)
    try:
        value = from_json(record.value or b"")
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return _Told(told.type or "", told.id or record.origin, told.causation or "", record.appended_at, value)


def _notice(told: _Told) -> Notice:
    return Notice(told.id, told.value["at"], told.value["notice"], told.value.get("approval"))


def _answered(told: _Told) -> Answered:
    value = told.value
    return Answered(
        told.id,
        instant_text(told.appended_at),
        value.get("answer", "?"),
        value.get("channel", "?"),
        value.get("operator"),
        value.get("answered_at"),
        value.get("note"),
        doubts=tuple(value.get("doubts", ())),
    )


def _deliver(notice: Notice, told: _Told) -> None:
    """A mail that came twice was delivered when it first came, and one that came back, be it days later, did not reach
    its recipient; one that nobody sends any more is not put off.
    """
    if _is_settled(notice.delivery, told.type):
        return
    notice.delivery, notice.mail_id = _DELIVERIES[told.type], told.value["mail_id"]
    notice.delivered_at = told.value["at"] if notice.delivery == "delivered" else None
    notice.next_at, notice.reply = told.value.get("next_at"), told.value.get("reply") or told.value.get("reason")


def _is_settled(delivery: str, told: str) -> bool:
    final = delivery == "bounced" or (delivery == "delivered" and told != BOUNCED)
    return final or (delivery == "superseded" and told == DEFERRED)


def _judge(answers: Iterable[Answered], told: _Told, checks: Mapping[str, str]) -> None:
    """Verdicts come in the order of the answers: two that bear one id get theirs in turn. `checks`: an operator's
    finding → the answer that was held until then.
    """
    before, answer_id = "waiting", told.causation
    if answer_id in checks:
        before, answer_id = "held", checks[answer_id]
    mine = (each for each in answers if each.id == answer_id and each.verdict == before)
    for answer in islice(mine, 1):
        answer.verdict, answer.counts_from = VERDICTS[told.type], told.value["at"]
        answer.reason = told.value.get("reason")


# -- in words --------------------------------------------------------------------------------------------------------

_SUSPENDED: Mapping[SuspensionReason, str] = {
    SuspensionReason.NOTICE_BOUNCED: "the notice of the approval bounced; correct the customer's contact",
    SuspensionReason.NOT_DELIVERED: "the notice of the approval was not delivered in time; check the contact",
    SuspensionReason.ANSWER_HELD: "an answer came that has to be checked (`cpor consent review`); where none is left, "
    "send the notice again (`cpor ops resend-notice`)",
}


def summary(state: ClaimState) -> str:
    """Where it stands, in one sentence."""
    consent, approval = state.consent, state.approval
    if consent.declined_early:
        return "The customer has declined already: it takes effect when the claim is approved."
    if state.has_reason(RejectionReason.CUSTOMER_DECLINED):
        return f"The customer has declined; the claim is {state.status}."
    if state.origin.legacy:
        return "The association was imported: the customer was not asked."
    if approval is None or state.status is not Status.APPROVED:
        return f"No consent is awaited: the claim is {state.status}."
    if consent.stage is ConsentStage.NONE:
        return "No consent is awaited: the association has ended."
    if consent.stage is ConsentStage.SUSPENDED:
        return f"The wait stands still: {_SUSPENDED[consent.suspended or SuspensionReason.NOT_DELIVERED]}."
    if consent.stage is ConsentStage.WAITING:
        return f"The wait runs until {moment(consent.due)} UTC; silence until then is consent."
    later = "" if policy(state.policy).consent.decline_days else " The customer may still decline."
    return f"The wait has passed: official since {moment(approval.completed_at)} UTC.{later}"
