"""What is judged before any handler is asked, and what a refusal leaves (contract §4)."""

from __future__ import annotations

from dataclasses import replace

from cpor.domain import commands as cmd
from cpor.domain.decide import record_refusal, refusal_event
from cpor.domain.events import CommandRefused, UnknownClaimRefused
from cpor.domain.model import Reason
from cpor.domain.result import Accepted, Refused
from cpor.domain.vocabulary import Code, Status
from tests.unit.domain.claims import World, in_status

REJECT = cmd.RejectClaim(reasons=(Reason("insufficient_poe"),), comment="No")


def test_a_view_that_is_older_than_the_newest_change_is_stale_and_the_newest_view_is_not() -> None:
    world = in_status(Status.UNDER_REVIEW)
    newest = world.claim("c").sequence
    no = world.give("c", REJECT, expected_sequence=newest - 1)
    assert isinstance(no, Refused)
    assert no.code == Code.STALE_SEQUENCE
    assert isinstance(world.give("c", REJECT, expected_sequence=newest), Accepted)


def test_the_event_of_a_refusal_names_the_message_and_what_it_asked() -> None:
    world = in_status(Status.DRAFT)
    claim = world.claim("c")
    command = world.command("c", REJECT, message_id="m-77")
    no = Refused(Code.ILLEGAL_TRANSITION, "Not now.")
    event = refusal_event(claim, command, no)
    assert isinstance(event, CommandRefused)
    assert (event.message_id, event.command, event.code, event.detail) == ("m-77", REJECT.NAME, no.code, no.detail)
    assert (event.sequence, event.status, event.policy) == (claim.sequence + 1, claim.status, claim.policy)
    after = record_refusal(claim, command, no).states[claim.claim_id]
    assert after == replace(claim, sequence=claim.sequence + 1)


def test_the_event_of_a_refusal_about_no_claim_names_the_message_too() -> None:
    command = World().command("nobody", REJECT, message_id="m-78")
    event = refusal_event(None, command, Refused(Code.CLAIM_UNKNOWN, "There is none."))
    assert isinstance(event, UnknownClaimRefused)
    assert (event.message_id, event.command, event.code) == ("m-78", REJECT.NAME, Code.CLAIM_UNKNOWN)
    assert event.claim_id == command.context.claim_id
