"""The overview of all claims, in either edition: by area, searched, filtered, sorted, exported (R52 to R54)."""

from __future__ import annotations

import csv
import io

import pytest

from cpor.domain import commands as cmd
from cpor.domain.policy import policy
from cpor.domain.vocabulary import CommandName, Edition, instant_text
from cpor.ops.book import Claim
from cpor.ops.columns import COLUMNS, ordered
from cpor.ops.export import Format, lines_of
from cpor.ops.filters import Filters
from tests.unit.domain.claims import EXAMPLES, LOCATION, SUBSCRIPTION, TENANT
from tests.unit.domain.rules.editions import BUSINESS_ROLES, IN_BOTH, advisor, usage, world_of

AREAS = {"modern_work_security": ["c"], "business_applications": ["b-0", "b-1", "b-2"]}


def overview(edition: Edition) -> list[Claim]:
    """A claim of each role: `c` rejected, the others submitted a day apart."""
    world = world_of(edition)
    world.under_review("c", form=usage(edition))
    world.must("c", EXAMPLES[CommandName.REVIEW_REJECT])
    for number, role in enumerate(BUSINESS_ROLES):
        world.pass_days(1)
        world.filed(f"b-{number}", form=advisor(edition, role), doc=number + 2)
    return [Claim(each, "Contoso") for each in world.states.values()]


def refs(claims: list[Claim]) -> list[str]:
    return [each.state.claim_ref for each in claims]


@IN_BOTH
@pytest.mark.rule("R52", edition="both")
def test_one_overview_has_the_claims_of_all_engagements_and_can_be_taken_by_area(edition: Edition) -> None:
    claims = overview(edition)
    engagements = {each.engagement for each in policy(edition).roles}
    assert {each.state.form.engagement for each in claims} == engagements
    assert {area: sorted(refs(Filters(area=(area,)).select(claims))) for area in AREAS} == AREAS


@IN_BOTH
@pytest.mark.rule("R53", edition="both")
def test_claims_are_searched_filtered_and_sorted_by_any_column(edition: Edition) -> None:
    claims = overview(edition)
    assert refs(Filters(search="B-1").select(claims)) == ["b-1"]
    assert refs(Filters(status=("rejected",)).select(claims)) == ["c"]
    assert refs(Filters(engagement=("business_applications_revenue",)).select(claims)) == ["b-2"]
    for name in COLUMNS:
        assert sorted(refs(ordered(claims, name))) == sorted(refs(claims))
    assert refs(ordered(claims, "submitted:desc")) == ["b-2", "b-1", "b-0", "c"]


@IN_BOTH
@pytest.mark.rule("R53", edition="both")
def test_an_export_holds_what_the_list_shows(edition: Edition) -> None:
    shown = ordered(Filters(area=("business_applications",)).select(overview(edition)), "role")
    text = "".join(lines_of(shown, list(COLUMNS), Format.CSV))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [each["claim_ref"] for each in rows] == refs(shown)
    assert [each["role"] for each in rows] == sorted(BUSINESS_ROLES)
    assert set(rows[0]) == set(COLUMNS)


@IN_BOTH
@pytest.mark.rule("R54", edition="both")
def test_every_column_shows_what_it_is_called(edition: Edition) -> None:
    claim = next(each for each in overview(edition) if each.state.claim_ref == "b-0")
    state = claim.state
    told = {name: COLUMNS[name].json(claim) for name in COLUMNS}
    assert state.submitted_at is not None
    begun = instant_text(state.submitted_at)
    due = min(each.due for each in state.due())
    assert told == {
        "claim_id": state.claim_id,
        "claim_ref": "b-0",
        "claim_name": "Teams roll-out",
        "status": "submitted",
        "area": "business_applications",
        "engagement": "mci_bizapps_presales_advisor",
        "role": "build_intent_advisor",
        "partner_id": "P-1",
        "location_id": LOCATION,
        "customer_name": "Contoso",
        "tenant_id": TENANT,
        "workloads": ["sales"],
        "subscription_id": SUBSCRIPTION,
        "reasons": [],
        "opt_out": False,
        "created": begun,
        "submitted": begun,
        "decided": None,
        "due": instant_text(due),
        "competes": [],
    }


@IN_BOTH
@pytest.mark.rule("R54", edition="both")
def test_a_decided_claim_shows_when_and_why_and_what_is_due_next(edition: Edition) -> None:
    (claim,) = (each for each in overview(edition) if each.state.claim_ref == "c")
    told = {name: COLUMNS[name].json(claim) for name in ("status", "reasons", "decided", "due", "workloads")}
    (window,) = claim.state.due()
    assert claim.state.decided_at is not None
    assert told == {
        "status": "rejected",
        "reasons": ["insufficient_poe"],
        "decided": instant_text(claim.state.decided_at),
        "due": instant_text(window.due),
        "workloads": ["teams", "intune"],
    }


@pytest.mark.rule("R54")
def test_since_2023_the_opt_out_of_payment_is_shown() -> None:
    world = world_of(Edition.P2023)
    out = world.must("c", cmd.CreateClaim(form=usage(Edition.P2023, incentive_opt_out=True)))
    assert COLUMNS["opt_out"].json(Claim(out, "Contoso")) is True
