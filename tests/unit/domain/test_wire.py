"""The JSON of the domain: what is written can be read, by this version and by one that knows less."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from cpor.domain import commands as cmd
from cpor.domain.decide import record_refusal
from cpor.domain.events import EVENT_TYPES, Event, UnknownClaimRefused
from cpor.domain.evolve import BrokenSequence, evolve, fold
from cpor.domain.model import ClaimState
from cpor.domain.result import Refused
from cpor.domain.vocabulary import (
    Code,
    CommandName,
    ConsentOutcome,
    EventName,
    Status,
    instant_text,
    parse_instant,
)
from cpor.domain.wire import decode, decode_event, decode_state, encode, event_name
from tests.unit.domain.claims import EXAMPLES, MONDAY, UNDER_P2020, World, document, in_status, sales_form, usage_form


def every_event() -> dict[EventName, Event]:
    """One real event of each name, out of a few short histories."""
    world = in_status(Status.DRAFT)
    for name in (CommandName.EDIT, CommandName.POE_AMEND, CommandName.COMMENT, CommandName.SUBMIT):
        world.must("c", EXAMPLES[name])
    world.must("c", cmd.StartReview())
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    world.must("c", document(4))
    world.must("c", cmd.RemoveDocument(document_id=document(4).document_id))
    world.must("c", cmd.ResubmitClaim(comment="Done"))
    incumbent = world.approved("b", "P-2", usage_form("teams"))
    world.must("c", cmd.StartReview())
    world.must("c", cmd.ApproveClaim(displaces=(incumbent.claim_id,)))
    for what in (ConsentOutcome.AGREED, ConsentOutcome.SUSPENDED):
        world.must("c", cmd.RecordConsent(outcome=what, approval=world.claim("c").approval.sequence))  # type: ignore[union-attr]
    world.official("d", "P-1", sales_form())
    for name in (CommandName.PARK, CommandName.UNPARK, CommandName.EARNING, CommandName.DISASSOCIATE):
        world.must("d", EXAMPLES[name])
    world.must("b", EXAMPLES[CommandName.DISPUTE], "P-2")
    world.must("e", cmd.CreateClaim(form=usage_form()))
    world.must("e", cmd.CancelClaim())
    world.must("f", EXAMPLES[CommandName.OPS_IMPORT_LEGACY])
    _refuse(world)
    return {event.NAME: event for event in world.log}


def _refuse(world: World) -> None:
    command = world.command("c", cmd.StartReview())
    decision = world.give("c", cmd.StartReview())
    assert isinstance(decision, Refused)
    world.keep(record_refusal(world.claim("c"), command, decision))


EVENTS = every_event()


@pytest.mark.parametrize("name", list(EventName))
def test_every_event_comes_back_from_its_json_as_it_was(name: EventName) -> None:
    event = EVENTS[name]
    assert decode_event(name, encode(event)) == event
    assert event_name(name.ce_type) == name
    assert type(event) is EVENT_TYPES[name]


@pytest.mark.parametrize("status", list(Status))
def test_every_state_comes_back_from_its_json_and_goes_on(status: Status) -> None:
    world = in_status(status)
    state = world.claim("c")
    again = decode_state(encode(state))
    assert again == state
    world.states[state.claim_id] = again
    world.must("c", EXAMPLES[CommandName.PARK])


def test_a_fold_of_read_events_is_the_fold_of_the_written_ones() -> None:
    world = in_status(Status.REJECTED_FINAL)
    events = world.events[world.claim("c").claim_id]
    assert fold(decode_event(event.NAME, encode(event)) for event in events) == world.claim("c")


def test_a_p2020_claim_with_a_paused_clock_survives_its_json() -> None:
    world = World(UNDER_P2020)
    world.under_review("c", "P-1", usage_form("teams"))
    state = world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    assert decode_state(encode(state)) == state


def test_fields_of_a_later_version_are_read_past() -> None:
    event = EVENTS[EventName.COMMENTED]
    value = json.loads(encode(event)) | {"mood": "good"}
    assert decode_event(EventName.COMMENTED, json.dumps(value).encode()) == event


def test_instants_are_texts_with_milliseconds_in_utc() -> None:
    value = json.loads(encode(EVENTS[EventName.SUBMITTED]))
    assert value["at"] == instant_text(MONDAY) == "2024-03-04T08:00:00.000Z"
    assert value["clocks_started"][0]["due"] == "2024-03-11T23:00:00.000Z"
    assert set(value["clocks_started"][0]) == {"clock", "starts_at", "budget", "calendar", "due"}


@pytest.mark.parametrize("text", ["2024-03-01T09:00:00.123Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"])
def test_an_instant_is_read_as_it_was_written(text: str) -> None:
    assert instant_text(parse_instant(text)) == text


def test_an_instant_without_an_offset_is_no_instant() -> None:
    with pytest.raises(ValueError, match="offset"):
        parse_instant("2024-03-01T09:00:00")
    assert parse_instant("2024-03-01T10:00:00+01:00") == parse_instant("2024-03-01T09:00:00Z")


def test_contact_data_stands_in_one_field_of_an_event_and_nowhere_else() -> None:
    for event in EVENTS.values():
        value = json.loads(encode(event))
        value.pop("personal", None)
        assert "kana@contoso.example" not in json.dumps(value)
        assert "Kana Ito" not in json.dumps(value)


def test_a_log_with_a_gap_a_double_or_a_foreign_event_does_not_fold() -> None:
    world = in_status(Status.UNDER_REVIEW)
    events = world.events[world.claim("c").claim_id]
    for broken in ([events[0], events[0]], events[1:], [*events, EVENTS[EventName.COMMENTED]]):
        with pytest.raises(BrokenSequence):
            fold(broken)


def test_a_refusal_for_an_unknown_claim_is_outside_any_fold() -> None:
    refused = UnknownClaimRefused(
        claim_id=world_claim().claim_id,
        at=MONDAY,
        actor=EVENTS[EventName.COMMENTED].actor,
        command="cpor.review.start.v1",
        code=Code.CLAIM_UNKNOWN,
        detail="There is no such claim.",
    )
    assert decode(UnknownClaimRefused, encode(refused)) == refused
    with pytest.raises(ValidationError):
        decode_event(EventName.COMMAND_REFUSED, encode(refused))


def world_claim() -> ClaimState:
    return in_status(Status.DRAFT).claim("c")


def test_evolving_leaves_the_old_state_as_it_was() -> None:
    world = in_status(Status.SUBMITTED)
    before = world.claim("c")
    copy = decode_state(encode(before))
    world.must("c", EXAMPLES[CommandName.COMMENT])
    assert before == copy
    assert evolve(before, world.log[-1]) == world.claim("c")
