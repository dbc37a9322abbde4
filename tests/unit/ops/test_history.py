"""A claim's history shows both sides' actions, and to a partner nothing about others (R43, D30)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Event
from cpor.domain.ids import claim_id
from cpor.domain.model import FormData, Reason
from cpor.domain.vocabulary import (
    ClaimId,
    CommandName,
    ConsentOutcome,
    Edition,
    EventName,
    PartnerId,
    Status,
)
from cpor.domain.wire import encode
from cpor.ops.history import Entry, entry_of
from cpor.runtime.record import Record
from tests.unit.domain.claims import EXAMPLES, SUBSCRIPTION, World, in_status, usage_form
from tests.unit.domain.rules.editions import IN_BOTH, advisor, standing, world_of


def record(name: EventName, value: bytes) -> Record:
    return Record("cpor.claims.events", 0, 0, 0, b"t", value, (("ce_type", name.ce_type.encode()),))


def told(event: Event, *, inside: bool = True) -> Entry | None:
    return entry_of(record(event.NAME, encode(event)), inside=inside)


def story(world: World, ref: str = "c", by: str = "P-1", *, inside: bool = True) -> list[Entry]:
    events = world.events[ClaimId(claim_id(PartnerId(by), ref))]
    return [entry for event in events if (entry := told(event, inside=inside))]


def test_every_event_becomes_a_line_with_its_side_and_action() -> None:
    entries = story(in_status(Status.REJECTED_FINAL))
    assert [(each.side, each.action) for each in entries] == [
        ("partner", "filed"),
        ("reviewer", "review_started"),
        ("reviewer", "rejected"),
        ("partner", "disputed"),
        ("reviewer", "rejected_final"),
    ]
    assert entries[3].comment == "Look again"
    assert "reason insufficient_poe" in entries[2].changes


def test_an_edit_tells_what_was_and_what_is_and_repeats_no_contact_data() -> None:
    world = in_status(Status.DRAFT)
    contact = usage_form().customer_contact
    assert contact is not None
    form = FormData(claim_name="Second", customer_contact=type(contact)("Ken Sato", "CFO", "ken@contoso.example"))
    world.must("c", cmd.EditClaim(form=form, given=("claim_name", "customer_contact")))
    changes = story(world)[-1].changes
    assert "claim_name: Teams roll-out → Second" in changes
    assert "customer_contact" in changes
    assert "Ken" not in str(changes)


@pytest.mark.rule("D30")
def test_a_partner_reads_reviewers_and_system_by_their_side_only() -> None:
    inside, outside = story(in_status(Status.REJECTED)), story(in_status(Status.REJECTED), inside=False)
    assert [each.actor for each in inside] == ["u-anna", "r-1", "r-1"]
    assert [each.actor for each in outside] == ["u-anna", "reviewer", "reviewer"]


@pytest.mark.rule("D30", "D17")
def test_a_partner_never_reads_who_competes() -> None:
    world = World()
    world.filed("c")
    world.filed("d", by="P-2", doc=2)
    other = claim_id(PartnerId("P-2"), "d")
    assert other in str(story(world))
    assert other not in str(story(world, inside=False))
    assert any(each.action == "competition_flagged" and each.comment for each in story(world, inside=False))


@IN_BOTH
@pytest.mark.rule("R43", "D30", edition="both")
def test_both_sides_changes_comments_and_actions_stand_in_their_order(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    ask = cmd.RequestInformation(
        reasons=(Reason("missing_products"),), comment="Intune is not shown.", remove_workloads=("intune",)
    )
    world.must("c", ask)
    world.must("c", cmd.AddComment(text="Right."))
    world.must("c", cmd.EditClaim(form=FormData(workloads=("teams",)), given=("workloads",)))
    world.must("c", cmd.ResubmitClaim(comment="Without it."))
    world.must("c", cmd.StartReview())
    world.must("c", cmd.ApproveClaim())
    for inside in (True, False):
        entries = story(world, inside=inside)[2:]
        assert [(each.side, each.action, each.comment) for each in entries] == [
            ("reviewer", "information_requested", "Intune is not shown."),
            ("partner", "commented", "Right."),
            ("partner", "edited", None),
            ("partner", "resubmitted", "Without it."),
            ("reviewer", "review_started", None),
            ("reviewer", "approved", None),
        ]
        assert "to remove: intune" in entries[0].changes
        assert "workloads: teams, intune → teams" in entries[2].changes
        assert "holds workload/teams" in entries[-1].changes
        assert {each.actor for each in entries} == {"u-anna", "r-1" if inside else "reviewer"}


@IN_BOTH
@pytest.mark.rule("R43", "D29", edition="both")
def test_what_customer_and_incentive_systems_decided_is_told_and_not_only_that_they_did(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    claim = world.claim("c")
    assert claim.approval is not None
    for what in (ConsentOutcome.SUSPENDED, ConsentOutcome.AGREED):
        world.must("c", cmd.RecordConsent(outcome=what, approval=claim.approval.sequence))
    world.must("c", EXAMPLES[CommandName.ELIGIBILITY_RESULT])
    world.must("c", EXAMPLES[CommandName.EARNING])
    world.must("c", EXAMPLES[CommandName.CONSENT_OUTCOME])
    told = [each.changes for each in story(world, inside=False)[3:]]
    assert told[0] == ("the wait stands still: not_delivered",)
    assert "the customer agreed" in told[1]
    assert told[2:4] == [("eligible",), ("earned 12.50 EUR for 2024-03",)]
    assert {"reason customer_declined", "no longer holds workload/teams"} <= set(told[4])


@pytest.mark.rule("R43", "D11", edition="P2020")
def test_a_subscription_that_was_filled_in_is_told_and_to_the_partner_by_its_last_four_characters() -> None:
    world = world_of(Edition.P2020)
    world.filed("c", form=replace(advisor(Edition.P2020), subscription_id=None))
    assert world.claim("c").subscription_filled_in
    assert f"subscription_id: – → {SUBSCRIPTION}" in story(world)[0].changes
    assert f"subscription_id: – → …{SUBSCRIPTION[-4:]}" in story(world, inside=False)[0].changes
    assert SUBSCRIPTION not in str(story(world, inside=False))


def test_a_refused_command_is_seen_inside_only() -> None:
    refused = b"""{"claim_id": "c", "sequence": 3, "at": "2026-03-02T08:00:00.000Z", "status": "submitted",
        "actor": {"kind": "reviewer", "id": "r-1"}, "command": "cpor.review.approve.v1", "code": "illegal_transition",
        "detail": "Not now."}"""
    seen = entry_of(record(EventName.COMMAND_REFUSED, refused), inside=True)
    assert seen is not None
    assert seen.changes == ("cpor.review.approve.v1 refused: illegal_transition: Not now.",)
    assert entry_of(record(EventName.COMMAND_REFUSED, refused), inside=False) is None


def test_an_event_of_a_newer_version_is_shown_by_its_type() -> None:
    newer = Record("t", 0, 0, 0, b"k", b'{"at": "2026-03-02T08:00:00.000Z"}', (("ce_type", b"cpor.claim.sold.v1"),))
    seen = entry_of(newer, inside=True)
    assert seen is not None
    assert seen.action == "cpor.claim.sold.v1"
