"""A claim's history from its events (R43, contract §7): time, side, actor, action, changes, comment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cpor.domain.ids import tenant_partition
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import ActorKind, EventName, IncentiveResultKind
from cpor.domain.wire import event_name
from cpor.ops.directory import claim_partitions
from cpor.ops.instance import Instance
from cpor.ops.reading import open_reader, partition_counts, read_to_ends
from cpor.ops.screen import moment_text
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.topics import Topic
from schemas import envelope

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a history; `time` is RFC 3339."""

    time: str
    side: str
    actor: str
    action: str
    status: str | None
    changes: tuple[str, ...]
    comment: str | None


def read_history(instance: Instance, state: ClaimState, *, inside: bool) -> list[Entry]:
    """The entries of a claim in their order. A partner's user sees no refused commands and no reviewer's name (D30)."""
    entries = (entry_of(record, inside=inside) for record in claim_events(instance, state))
    return [each for each in entries if each is not None]


def claim_events(instance: Instance, state: ClaimState) -> list[Record]:
    partition = tenant_partition(state.form.tenant_id, claim_partitions(partition_counts(instance.transport)))
    subject = state.claim_id.encode()
    with open_reader(instance.transport) as reader:
        records = read_to_ends(reader, [TopicPartition(Topic.CLAIM_EVENTS, partition)])
        return [each for each in records if (envelope.SUBJECT, subject) in each.headers]


def entry_of(record: Record, *, inside: bool) -> Entry | None:
    """None for an event that the partner does not see."""
    from pydantic_core import from_json

    event: Event = from_json(record.value or b"{}")
    try:
        name = event_name(record.header(envelope.TYPE) or "")
    except ValueError:  # a newer version's event: shown by its type, so that nothing is silent
        return Entry(event["at"], "system", "", record.header(envelope.TYPE) or "", event.get("status"), (), None)
    if name is EventName.COMMAND_REFUSED and not inside:
        return None
    actor = event["actor"]
    return Entry(
        time=str(event["at"]),
        side=actor["kind"],
        actor=actor["id"] if inside or actor["kind"] == ActorKind.PARTNER else actor["kind"],
        action=name.value,
        status=event.get("status"),
        changes=changes_of(name, event, inside=inside),
        comment=next((event[field] for field in _COMMENTS if event.get(field)), None),
    )


_COMMENTS = ("text", "comment", "justification")


def changes_of(name: EventName, event: Event, *, inside: bool) -> tuple[str, ...]:
    """What the event changed, in words; facts of other partners only for those inside."""
    told = [text for tell in (_fields, _document, _reasons, _clocks) for text in tell(event)]
    tell_more = _OWN.get(name)
    if tell_more is not None:
        told += tell_more(event, inside)
    return tuple(told)


def _fields(event: Event) -> list[str]:
    return [_change(each) for each in event.get("changes", ())]


def _change(change: Event) -> str:
    if change["before"] is None and change["after"] is None:
        return str(change["field"])  # contact data is not repeated here
    return f"{change['field']}: {_words(change['before'])} → {_words(change['after'])}"


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)


def _document(event: Event) -> list[str]:
    documents = event.get("documents") or ([event["document"]] if event.get("document") else [])
    return [f"document {each['filename']}" for each in documents]


def _reasons(event: Event) -> list[str]:
    return [f"reason {_reason(each)}" for each in event.get("reasons", ())]


def _reason(reason: Event) -> str:
    workloads = reason.get("workloads")
    return f"{reason['code']} ({', '.join(workloads)})" if workloads else str(reason["code"])


def _clocks(event: Event) -> list[str]:
    return [f"{each['clock']} until {moment_text(each['due'])}" for each in event.get("clocks_started", ())]


def _filled_in(event: Event, inside: bool) -> list[str]:
    """D11: to the partner by its last four characters."""
    found = event.get("subscription_id")
    return [f"subscription_id: – → {found if inside else f'…{found[-4:]}'}"] if found else []


def _removed(event: Event, inside: bool) -> list[str]:
    return [f"document {event['document_id']} removed"]


def _refused(event: Event, inside: bool) -> list[str]:
    return [f"{event['command']} refused: {event['code']}: {event['detail']}"]


def _competing(event: Event, inside: bool) -> list[str]:
    return [f"competes with {each}" for each in event["competes_with"]] if inside else []


def _approved(event: Event, inside: bool) -> list[str]:
    displaced = [f"displaces {each}" for each in event.get("displaces", ())] if inside else []
    return [f"holds {_unit(each)}" for each in event["units"]] + displaced


def _ended(event: Event, inside: bool) -> list[str]:
    return [f"no longer holds {_unit(each)}: {event['reason']}" for each in event["units"]]


def _asked(event: Event, inside: bool) -> list[str]:
    removed = event.get("remove_workloads") or ()
    return [f"to remove: {', '.join(removed)}"] if removed else []


def _answered(event: Event, inside: bool) -> list[str]:
    return [f"the customer {event['answer']}"]


def _suspended(event: Event, inside: bool) -> list[str]:
    return [f"the wait stands still: {event['reason']}"]


def _withdrawn(event: Event, inside: bool) -> list[str]:
    withdrawn = [f"withdrawn: {event['withdraw_reason']}"] if event.get("withdraw_reason") else []
    return withdrawn + [f"no longer holds {_unit(each)}" for each in event.get("units_released", ())]


def _result(event: Event, inside: bool) -> list[str]:
    """D29."""
    if event["kind"] == IncentiveResultKind.EARNING:
        return [f"earned {event['amount']} {event['currency']} for {event['period']}"]
    reason = event.get("reason")
    return [f"{event['outcome']}: {reason}" if reason else str(event["outcome"])]


def _unit(unit: str) -> str:
    """The tenant is the claim's own: `workload/teams`, `subscription/…`."""
    return unit.partition("/")[2]


_OWN: Mapping[EventName, Callable[[Event, bool], list[str]]] = {
    EventName.FILED: _filled_in,
    EventName.SUBMITTED: _filled_in,
    EventName.RESUBMITTED: _filled_in,
    EventName.DOCUMENT_REMOVED: _removed,
    EventName.COMMAND_REFUSED: _refused,
    EventName.COMPETITION_FLAGGED: _competing,
    EventName.APPROVED: _approved,
    EventName.ASSOCIATION_ENDED: _ended,
    EventName.INFORMATION_REQUESTED: _asked,
    EventName.CONSENT_ANSWERED: _answered,
    EventName.CONSENT_SUSPENDED: _suspended,
    EventName.REJECTED: _withdrawn,
    EventName.REJECTED_FINAL: _withdrawn,
    EventName.LEGACY_IMPORTED: _approved,
    EventName.INCENTIVE_RESULT: _result,
}
