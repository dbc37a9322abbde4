"""Lists of claims: filters, order, columns, and what a partner's user may see of them (contract §7, D14, D30)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain.model import ClaimState
from cpor.domain.reference import User
from cpor.domain.vocabulary import CommandName, PartnerId, Status, UserId, UserRole, instant_text
from cpor.ops.book import Claim, Viewer, pick
from cpor.ops.columns import COLUMNS, chosen, ordered
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.filters import Filters, instant, read
from cpor.ops.sheet import claim_json
from tests.unit.domain.claims import (
    EXAMPLES,
    LOCATION,
    OTHER_LOCATION,
    TENANT,
    World,
    in_status,
    sales_form,
    usage_form,
)


def claim(state: ClaimState, *, inside: bool = True) -> Claim:
    return Claim(state, "Contoso", inside)


@pytest.fixture
def several() -> list[Claim]:
    """Three claims: one approved for Teams, one submitted for a subscription, one draft."""
    world = World()
    world.approved("a-1", form=usage_form("teams"))
    world.filed("b-2", form=sales_form(), doc=2)
    draft = in_status(Status.DRAFT).claim("c")
    return [claim(world.claim("a-1")), claim(world.claim("b-2")), claim(draft)]


def refs(claims: list[Claim]) -> list[str]:
    return [each.state.claim_ref for each in claims]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filters(), ["a-1", "b-2", "c"]),
        (Filters(status=("approved",)), ["a-1"]),
        (Filters(status=("approved", "draft")), ["a-1", "c"]),
        (Filters(area=("business_applications",)), ["b-2"]),
        (Filters(engagement=("mci_bizapps_presales_advisor",)), ["b-2"]),
        (Filters(workload="teams"), ["a-1", "c"]),
        (Filters(location=OTHER_LOCATION), []),
        (Filters(tenant=TENANT.upper()), ["a-1", "b-2", "c"]),
        (Filters(subscription="7C9E6679-7425-40de-944b-e07fc1f90ae7"), ["b-2"]),
        (Filters(search="B-2"), ["b-2"]),
        (Filters(search="contoso"), ["a-1", "b-2", "c"]),
        (Filters(search="7c9e6679"), ["b-2"]),
        (Filters(search="nothing like it"), []),
        (Filters(search="a-1", status=("draft",)), []),
    ],
)
@pytest.mark.rule("R53")
def test_a_claim_is_listed_when_it_passes_every_filter(several: list[Claim], wanted: Filters, found: list[str]) -> None:
    assert refs(wanted.select(several)) == found


def test_due_before_looks_at_the_next_clock_and_skips_claims_without_one(several: list[Claim]) -> None:
    first = min(each.next_due for each in several if each.next_due)
    assert refs(Filters(due_before=first).select(several)) == []
    assert refs(Filters(due_before=first + 1).select(several)) == [
        each.state.claim_ref for each in several if each.next_due == first
    ]


@pytest.mark.rule("R54", "T17")
def test_a_dispute_window_that_has_closed_is_no_deadline_and_a_late_reviewer_still_is() -> None:
    rejected, late = claim(in_status(Status.REJECTED).claim("c")), claim(in_status(Status.UNDER_REVIEW).claim("c"))
    until = rejected.next_due
    assert until is not None
    assert replace(rejected, now=until - 1).next_due == until
    assert replace(rejected, now=until).next_due is None
    assert late.next_due is not None
    assert replace(late, now=late.next_due).next_due == late.next_due


NOTHING = {"status": None, "area": None, "engagement": None, "due_before": None}


def test_a_due_date_is_read_as_its_beginning_in_utc() -> None:
    assert instant("2026-03-10") == instant("2026-03-10T01:00:00+01:00")
    with pytest.raises(WrongUse, match="--due-before"):
        read(**{**NOTHING, "due_before": "soon"})


def test_a_closed_list_takes_several_words_and_answers_an_unknown_one_with_those_there_are() -> None:
    told = read(**{**NOTHING, "status": "approved, draft", "area": "business_applications,modern_work_security"})
    assert told.status == ("approved", "draft")
    assert told.area == ("business_applications", "modern_work_security")
    with pytest.raises(WrongUse, match="draft, submitted"):
        read(**{**NOTHING, "status": "approved,gone"})


@pytest.mark.parametrize("option", ["status", "area", "engagement", "due_before"])
def test_an_option_left_empty_by_a_script_does_not_mean_everything(option: str, several: list[Claim]) -> None:
    with pytest.raises(WrongUse):
        read(**{**NOTHING, option: ""})
    assert read(**NOTHING, tenant="").select(several) == []


@pytest.mark.rule("R53")
def test_claims_without_a_value_come_last_in_either_direction(several: list[Claim]) -> None:
    up, down = ordered(several, "decided"), ordered(several, "decided:desc")
    assert refs(up)[0] == refs(down)[0] == "a-1"
    assert ordered(several, "claim_ref:desc")[0].state.claim_ref == "c"


@pytest.mark.parametrize("sort", ["price", "status:up"])
def test_an_order_that_does_not_exist_is_a_wrong_use(sort: str) -> None:
    with pytest.raises(WrongUse):
        ordered([], sort)


@pytest.mark.rule("R54")
def test_columns_are_those_of_the_contract_and_can_be_chosen() -> None:
    assert list(COLUMNS) == [
        "claim_id",
        "claim_ref",
        "claim_name",
        "status",
        "area",
        "engagement",
        "role",
        "partner_id",
        "location_id",
        "customer_name",
        "tenant_id",
        "workloads",
        "subscription_id",
        "reasons",
        "opt_out",
        "created",
        "submitted",
        "decided",
        "due",
        "competes",
    ]
    assert chosen("due, status", ()) == ["due", "status"]
    assert chosen("all", ()) == list(COLUMNS)
    with pytest.raises(WrongUse, match="no column"):
        chosen("status,price", ())


def test_instants_are_rfc_3339_for_machines_and_short_for_people(several: list[Claim]) -> None:
    approved = several[0]
    assert approved.state.decided_at is not None
    assert COLUMNS["decided"].json(approved) == instant_text(approved.state.decided_at)
    assert COLUMNS["decided"].shown(approved) == instant_text(approved.state.decided_at)[:16].replace("T", " ")


# -- who may see what -----------------------------------------------------------------------------------------------


def user(role: UserRole = UserRole.INCENTIVES_USER, *locations: str) -> User:
    return User(UserId("u"), "U", "u@example.org", role, None, locations or None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("viewer", "sees"),
    [
        (Viewer(), True),
        (Viewer("P-1", user()), True),
        (Viewer("P-2", user(UserRole.GLOBAL_ADMIN)), False),
        (Viewer("P-1", user(UserRole.INCENTIVES_ADMIN, LOCATION)), True),
        (Viewer("P-1", user(UserRole.INCENTIVES_ADMIN, OTHER_LOCATION)), False),
    ],
)
def test_a_user_sees_the_claims_of_its_partner_and_of_its_own_locations(viewer: Viewer, sees: bool) -> None:
    assert viewer.sees(in_status(Status.SUBMITTED).claim("c")) is sees


def competing() -> Claim:
    world = World()
    world.filed("c")
    world.filed("d", by="P-2", doc=2)
    return claim(world.claim("c"), inside=False)


@pytest.mark.rule("D30", "D17")
def test_a_partner_learns_that_others_compete_but_never_who() -> None:
    seen = competing()
    other = seen.state.competes_with[0]
    assert COLUMNS["competes"].json(seen) is True
    assert COLUMNS["competes"].json(replace(seen, inside=True)) == [other]
    assert other not in str(claim_json(seen))
    assert claim_json(seen)["competes"] is True


@pytest.mark.rule("D30")
def test_a_partner_reads_reviewers_as_reviewer_and_its_own_people_by_name() -> None:
    asked = in_status(Status.PARTNER_ACTION_REQUIRED).claim("c")
    comments = claim_json(claim(asked, inside=False))["comments"]
    assert [each["actor"] for each in comments] == [{"kind": "reviewer", "id": "reviewer"}]
    assert claim_json(claim(asked))["comments"][0]["actor"]["id"] == "r-1"


@pytest.mark.rule("D30")
def test_a_partner_reads_nothing_of_what_only_we_need() -> None:
    world = in_status(Status.SUBMITTED)
    parked = world.must("c", EXAMPLES[CommandName.PARK])
    world.must("c", EXAMPLES[CommandName.EARNING])
    assert parked.letters
    kept = {"last_blocking_sequence", "entered_by", "parked", "letters", "results", "competes_with"}
    assert kept <= claim_json(claim(world.claim("c"))).keys()
    assert not kept & claim_json(claim(world.claim("c"), inside=False)).keys()


def test_a_subscription_that_was_filled_in_is_shown_to_the_partner_as_four_characters_until_approval() -> None:
    world = World()
    world.filed("c", form=sales_form())
    filled_in = replace(world.claim("c"), subscription_filled_in=True)
    assert claim(filled_in, inside=False).subscription == "…0ae7"
    assert claim_json(claim(filled_in, inside=False))["form"]["subscription_id"] == "…0ae7"
    assert claim(filled_in).subscription == filled_in.form.subscription_id
    approved = replace(world.approved("d", form=usage_form("teams")), subscription_filled_in=True, form=filled_in.form)
    assert claim(approved, inside=False).subscription == filled_in.form.subscription_id


# -- naming a claim ---------------------------------------------------------------------------------------------------


def test_a_claim_is_found_by_id_reference_or_the_beginning_of_its_id(several: list[Claim]) -> None:
    wanted = several[1]
    for name in (wanted.claim_id, wanted.claim_id.upper(), "b-2", wanted.claim_id[:8]):
        assert pick(several, name) is wanted


@pytest.mark.parametrize("name", ["b-3", "a", ""])
def test_a_claim_that_is_not_there_is_claim_unknown(several: list[Claim], name: str) -> None:
    with pytest.raises(Refused) as refused:
        pick(several, name)
    assert refused.value.code == "claim_unknown"


def test_a_reference_that_two_partners_use_names_no_claim(several: list[Claim]) -> None:
    twin = claim(replace(several[0].state, partner_id=PartnerId("P-2")))
    with pytest.raises(Refused, match="could be 2 claims"):
        pick([*several, twin], "a-1")
