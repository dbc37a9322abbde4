"""Operators import associations from before, and end those that are over (D23, T19)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cpor.domain.ids import legacy_reference
from cpor.domain.reference import Subscription
from cpor.domain.vocabulary import (
    CommandName,
    Edition,
    Instant,
    PartnerRole,
    Status,
    SubscriptionId,
    SubscriptionState,
    parse_instant,
)
from cpor.ops.associations import importing, read_legacy
from cpor.ops.book import Claim
from cpor.ops.ends import End, ends
from cpor.ops.errors import Refused
from cpor.ops.inbox import by_actor, to_inbox
from cpor.ops.tasks import TaskKind, tasks_of_ends
from cpor.runtime.clock import ManualClock
from tests.unit.domain.claims import EXAMPLES, SALES, SUBSCRIPTION, World
from tests.unit.domain.rules.editions import IN_BOTH, advisor, usage, world_of
from tests.unit.review.pipeline import LOCATION, TENANT, N, Pipeline

BEGINS = {Edition.P2020: "2023-03-06T08:00:00Z", Edition.P2023: "2024-03-04T08:00:00Z"}
OLD = {
    "partner_id": "P-1",
    "location_id": LOCATION,
    "tenant_id": TENANT,
    "subscription_id": SUBSCRIPTION,
    "partner_role": "usage_recognition",
    "ends_on": "2024-06-30",
}


def written(tmp_path: Path, *lines: dict[str, Any] | str) -> Path:
    file = tmp_path / "old.ndjson"
    file.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines))
    return file


def imported(tmp_path: Path, pipeline: Pipeline, *lines: dict[str, Any]) -> list[str]:
    """As the command sends them; the types of the events that follow."""
    before = len(pipeline.event_records())
    for _, line in read_legacy(written(tmp_path, *lines), "o-1"):
        name, claim_id, told = importing(line, "o-1")
        _, output = to_inbox(name, claim_id, line.tenant_id, told, "/operators/o-1", pipeline.clock.now(), N)  # type: ignore[arg-type]
        pipeline.broker.append(output)
        pipeline.run()
    return [each.header("ce_type") or "" for each in pipeline.event_records()[before:]]


# -- importing (D23) --------------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("D23", "R22", edition="both")
def test_an_import_holds_its_subscription_and_is_made_once(edition: Edition, tmp_path: Path) -> None:
    pipeline = Pipeline(clock=ManualClock(parse_instant(BEGINS[edition])))
    assert imported(tmp_path, pipeline, OLD) == ["cpor.claim.legacy_imported.v1"]
    (row,) = pipeline.associations().values()
    assert (row["partner_id"], row["ends_on"]) == ("P-1", "2024-06-30")
    assert imported(tmp_path, pipeline, OLD) == ["cpor.claim.command_refused.v1"]
    pipeline.audit()


def test_every_fault_of_a_file_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    lines = (OLD, {**OLD, "partner_role": "owner"}, "{", "[]", {**OLD, "ends_on": "soon"})
    with pytest.raises(Refused) as refused:
        read_legacy(written(tmp_path, *lines), "o-1")
    told = str(refused.value)
    assert [each in told for each in ("line 1:", "line 2:", "line 3:", "line 4:", "line 5:")] == [False, *[True] * 4]


@pytest.mark.rule("D23")
def test_a_reference_under_which_the_partner_could_never_act_is_refused(tmp_path: Path) -> None:
    own = legacy_reference(TENANT, SubscriptionId(SUBSCRIPTION), PartnerRole.USAGE_RECOGNITION)
    assert len(read_legacy(written(tmp_path, {**OLD, "claim_ref": own}), "o-1")) == 1
    with pytest.raises(Refused, match="line 1: invalid_fields: claim_ref"):
        read_legacy(written(tmp_path, {**OLD, "claim_ref": "OLD-7"}), "o-1")


def test_an_operator_stands_behind_each_line_whatever_the_line_says(tmp_path: Path) -> None:
    ((_, line),) = read_legacy(written(tmp_path, {**OLD, "actor": {"kind": "system", "id": "x"}}), "o-1")
    assert importing(line, "o-1")[2]["actor"] == by_actor(line.actor.kind, "o-1")["actor"]
    assert line.actor.kind == "operator"


# -- what is over (T19) -----------------------------------------------------------------------------------------------


def over(world: World, known: Subscription | None = SALES) -> list[End]:
    subscriptions = {} if known is None else {known.subscription_id: known}
    claims = [Claim(each, "Contoso") for each in world.states.values()]
    return list(ends(claims, {str(key): each for key, each in subscriptions.items()}, world.now))


@IN_BOTH
@pytest.mark.rule("T19", "D16", edition="both")
def test_an_association_is_over_on_the_day_after_its_subscriptions_last_where_the_location_is(edition: Edition) -> None:
    world = world_of(edition)
    world.approved("c", form=advisor(edition))
    year = 2023 if edition is Edition.P2020 else 2024
    known = replace(SALES, ends_on=date(year, 6, 30))
    midnight = parse_instant(f"{year}-06-30T22:00:00Z")
    world.now = Instant(midnight - 1)
    assert over(world, known) == []
    world.now = midnight
    assert [(each.claim.state.claim_ref, each.on) for each in over(world, known)] == [("c", date(year, 6, 30))]


@IN_BOTH
@pytest.mark.rule("T19", "D23", edition="both")
def test_an_imported_association_is_over_after_its_last_day_though_the_subscription_goes_on(edition: Edition) -> None:
    world = world_of(edition)
    world.approved("c", form=advisor(edition))
    state = world.claim("c")
    last = date(2024, 6, 30)
    world.states[state.claim_id] = replace(state, origin=replace(state.origin, legacy=True, ends_on=last))
    world.now = parse_instant("2024-06-30T12:00:00Z")
    assert over(world) == []
    world.now = parse_instant("2024-07-01T12:00:00Z")
    assert [each.on for each in over(world)] == [last]


@pytest.mark.rule("T19")
def test_what_is_over_is_a_task_until_it_was_ended() -> None:
    world = world_of(Edition.P2023)
    world.approved("c", form=advisor(Edition.P2023))
    (task,) = tasks_of_ends(over(world, replace(SALES, ends_on=date(2024, 3, 1))))
    assert (task.kind, task.since[:10]) == (TaskKind.ASSOCIATION_OVER, "2024-03-01")
    assert "cpor ops end-associations" in task.advice
    world.must("c", EXAMPLES[CommandName.OPS_END_SUBSCRIPTION])
    assert tasks_of_ends(over(world, replace(SALES, ends_on=date(2024, 3, 1)))) == []


def test_grace_is_no_end_and_an_end_without_a_day_is_today() -> None:
    world = world_of(Edition.P2023)
    world.approved("c", form=advisor(Edition.P2023))
    assert over(world, replace(SALES, ends_on=date(2024, 1, 1), state=SubscriptionState.GRACE)) == []
    assert [each.on for each in over(world, replace(SALES, state=SubscriptionState.ENDED))] == [date(2024, 3, 4)]
    later = replace(SALES, state=SubscriptionState.ENDED, ends_on=date(2030, 1, 1))
    assert [each.on for each in over(world, later)] == [date(2024, 3, 4)]


def test_what_holds_no_subscription_is_never_over() -> None:
    world = world_of(Edition.P2023)
    world.approved("usage", form=usage(Edition.P2023))
    world.filed("waiting", form=advisor(Edition.P2023), doc=2)
    assert world.claim("waiting").status == Status.SUBMITTED
    assert over(world, replace(SALES, state=SubscriptionState.ENDED)) == []
    held = world_of(Edition.P2023)
    held.approved("c", form=advisor(Edition.P2023))
    assert over(held, None) == []
