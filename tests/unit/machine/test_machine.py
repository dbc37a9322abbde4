"""Worlds at random in which everything may happen at any time: what must always hold, holds. See docs/properties.md."""

from __future__ import annotations

import secrets
from collections import Counter

import pytest

import services.deadlines.holding
from cpor.domain.vocabulary import Status
from cpor.runtime.assignment import Assignment
from services.consent.worker import Consent
from tests.unit.machine.judging import judged
from tests.unit.machine.machine import TALLY, Machine
from tests.unit.machine.running import run, without_pauses
from tests.unit.machine.world import SERVICES, Strike, Trouble

#: Each of the two short runs.
EXAMPLES = 100


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch.setattr)


@pytest.mark.timeout(600)
@pytest.mark.rule("R20", "R21", "D4", "D8", "D9", "D10", "D17", "D18", "D19", "D20", "D30", edition="both")
def test_whatever_happens_the_invariants_hold_in_eventful_worlds_that_are_the_same_each_time() -> None:
    before = Counter(TALLY)
    run(EXAMPLES, seed=None)
    seen = TALLY - before
    assert seen["examples"] >= EXAMPLES
    assert {"approved", "rejected", "eligible", "consent_suspended", "association_ended", "rung", "end"} <= set(seen)
    assert seen["deaths"] > 10


@pytest.mark.timeout(600)
@pytest.mark.rule("R20", "R21", "D4", "D8", "D9", "D10", "D17", "D18", "D19", "D20", "D30", edition="both")
def test_whatever_happens_the_invariants_hold_in_worlds_that_are_new_each_time() -> None:
    seed = secrets.randbelow(2**32)
    print(f"again: python -m tests.unit.machine --examples {EXAMPLES} --processes 1 --seed {seed}")
    run(EXAMPLES, seed)


# -- what it would find ------------------------------------------------------------------------------------------------


def _a_no_that_is_read_late(start: str) -> Machine:
    """Consent stands still from the approval until two days after its end; the customer says no on the sixth day."""
    machine = Machine()
    machine.opens(start, seed=0, records=3_000, settles=True)
    machine.files(by=0, tenant=0, kind=0, email=0)
    machine.approves(n=0, names=False)
    machine.world.settles = False
    machine.stands_still_or_goes_on("consent")
    machine.time_passes(6)
    machine.customer_answers(n=0, declines=True, how={"channel": "phone", "operator": "o-1"})
    machine.time_passes(3)
    machine.world.rest()
    machine.watch.look()
    return machine


@pytest.mark.rule("D4", "D9", "D19", edition="both")
@pytest.mark.parametrize("start", ["P2020", "P2023"])
def test_a_no_in_time_that_is_read_after_the_wait_ends_the_approval(start: str) -> None:
    machine = _a_no_that_is_read_late(start)
    assert len(machine.watch.doomed) == 1
    assert machine.status(machine.claims[0]) == Status.REJECTED
    judged(machine, settled=False)


@pytest.mark.parametrize("start", ["P2020", "P2023"])
def test_consent_that_does_not_wait_for_what_came_in_time_is_found_out(
    start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Consent, "gate", lambda self, due, look: due)
    with pytest.raises(AssertionError):
        judged(_a_no_that_is_read_late(start), settled=False)


def _a_subscription_that_ends_twice() -> Machine:
    """An import on a subscription that ends, is renewed while nobody reads what was said of it, and ends again."""
    machine = Machine()
    machine.opens("P2023", seed=0, records=3_000, settles=True)
    machine.imports_a_legacy_association(by=0, tenant=0, days=200)
    machine.world.settles = False
    machine.stands_still_or_goes_on("review")
    machine.subscription_changes(n=0, days=0, state="ended")
    machine.all_work(3)
    machine.subscription_changes(n=0, days=None, state="active")
    machine.all_work(3)
    machine.stands_still_or_goes_on("review")
    machine.all_work(3)
    assert machine.state(machine.claims[0]) is not None
    machine.subscription_changes(n=0, days=0, state="ended")
    machine.world.rest()
    machine.watch.look()
    return machine


@pytest.mark.rule("T19", "D16", "D23")
def test_an_end_that_a_renewal_overtook_comes_when_the_subscription_ends_after_all() -> None:
    machine = _a_subscription_that_ends_twice()
    assert machine.watch.seen["end"] == 2
    assert machine.watch.seen["association_ended"] == 1
    judged(machine, settled=False)


def test_deadlines_that_tell_an_end_only_once_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.deadlines.holding, "lasting", lambda held, known, zone: held)
    with pytest.raises(AssertionError, match="I14"):
        judged(_a_subscription_that_ends_twice(), settled=False)


def _struck(service: str, trouble: Trouble, point: str) -> Machine:
    """The trouble comes while a claim is filed; it is approved afterwards."""
    machine = Machine()
    machine.opens("P2023", seed=0, records=3_000, settles=True)
    machine.world.strike = Strike(service, trouble, point, 1)
    machine.files(by=0, tenant=0, kind=0, email=0)
    machine.approves(n=0, names=False)
    assert machine.world.struck == 1
    machine.world.rest()
    machine.watch.look()
    return machine


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("service", SERVICES)
def test_trouble_in_the_middle_of_a_commit_changes_nothing(service: str, trouble: Trouble) -> None:
    for point in ("commit", "committed"):
        judged(_struck(service, trouble, point), settled=True)


def test_a_worker_that_goes_on_with_what_it_believed_after_a_failure_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Assignment, "give_up", lambda self: None)
    with pytest.raises(AssertionError):
        judged(_struck("review", Trouble.NO_ANSWER, "committed"), settled=True)
