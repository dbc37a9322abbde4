"""Random histories of competing claims: whatever is asked, in whatever order, the invariants hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpor.domain import commands as cmd
from cpor.domain.associations import associations_after
from cpor.domain.commands import CommandData
from cpor.domain.decide import decide
from cpor.domain.deciding.windows import is_disputable
from cpor.domain.events import Event
from cpor.domain.evolve import evolve, fold
from cpor.domain.handoff import HandoffType, handoffs
from cpor.domain.model import ClaimState, ConsentStage
from cpor.domain.policy import policy
from cpor.domain.result import Accepted
from cpor.domain.vocabulary import ClaimId, Clock, CommandName, ConsentOutcome, Status
from tests.unit.domain.claims import ACKNOWLEDGED, EXAMPLES, World, document, sales_form, usage_form

FORMS = (usage_form("teams", "intune"), usage_form("teams"), sales_form())
CLAIMS = (("a", "P-1"), ("b", "P-2"), ("c", "P-1"), ("d", "P-2"))
#: The steps that lead on come up more often, so that many histories reach an approval and its end.
NAMES = (
    *CommandName,
    *(CommandName.FILE, CommandName.REVIEW_START, CommandName.REVIEW_APPROVE, CommandName.REVIEW_REJECT) * 4,
    *(CommandName.DISPUTE, CommandName.RESUBMIT, CommandName.CONSENT_OUTCOME, CommandName.DEADLINE_EXPIRED) * 2,
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(CLAIMS),
        st.sampled_from(NAMES),
        st.sampled_from(tuple(ConsentOutcome)),
        st.integers(0, 2),
        st.sampled_from((0, 0, 0, 0, 0.5, 8, 31)),
    ),
    max_size=60,
)
Step = tuple[tuple[str, str], CommandName, ConsentOutcome, int, float]


def command_for(world: World, step: Step) -> CommandData:
    """The step's command, fitted to the claim as it stands so that it has a chance to be legal."""
    (ref, by), name, outcome, number, _ = step
    claim = next((each for each in world.states.values() if (each.claim_ref, each.partner_id) == (ref, by)), None)
    form = FORMS[number]
    match name:
        case CommandName.FILE:
            covers = form.workloads or ()
            documents = (document(len(world.log) + 1, *covers),)
            return cmd.FileClaim(form=form, documents=documents, acknowledgements=ACKNOWLEDGED)
        case CommandName.POE_ATTACH:
            return document(len(world.log) + 1)
        case CommandName.REVIEW_APPROVE:
            return cmd.ApproveClaim(displaces=tuple(sorted(world.states)) if number else ())
        case CommandName.CONSENT_OUTCOME:
            approval = claim.approval.sequence if claim and claim.approval else None
            return cmd.RecordConsent(outcome=outcome, approval=approval)
        case CommandName.DEADLINE_EXPIRED if claim and claim.clocks:
            clock = claim.clocks[0]
            return cmd.ExpireDeadline(clock=clock.clock, started_by=clock.started_by, due=clock.due)
    return EXAMPLES[name]


def played(steps: list[Step]) -> World:
    world = World()
    for step in steps:
        world.pass_days(step[4])
        world.give(step[0][0], command_for(world, step), step[0][1])
    return world


def check_prefixes(log: list[Event]) -> None:
    """After every single event: one partner per unit, dense sequences, and nothing moves after a terminal status."""
    states: dict[ClaimId, ClaimState] = {}
    for event in log:
        before = states.get(event.claim_id)
        assert event.sequence == (before.sequence if before else 0) + 1
        after = states[event.claim_id] = evolve(before, event)
        assert after.status == event.status
        if before and before.status in (Status.REJECTED_FINAL, Status.CANCELLED):
            assert after.status == before.status
            assert after.units == ()
        for unit in after.units:
            associations_after(unit, states.values())


#: The clocks that may run in a status; the first of them must, but for the window and the wait.
CLOCKS: dict[Status, tuple[Clock, ...]] = {
    Status.DRAFT: (),
    Status.SUBMITTED: (Clock.REVIEW_START, Clock.OVERALL_DECISION),
    Status.UNDER_REVIEW: (Clock.REVIEW_DECISION, Clock.OVERALL_DECISION),
    Status.PARTNER_ACTION_REQUIRED: (Clock.PARTNER_ANSWER, Clock.OVERALL_DECISION),
    Status.APPROVED: (Clock.CONSENT_WAIT,),
    Status.REJECTED: (Clock.DISPUTE_WINDOW,),
    Status.DISPUTED: (Clock.DISPUTE_ANSWER,),
    Status.REJECTED_FINAL: (),
    Status.CANCELLED: (),
}


def check_clocks(log: list[Event]) -> None:
    """After every event no clock runs that its status does not have, and none is missing (domain §2.3, D7, D20)."""
    states: dict[ClaimId, ClaimState] = {}
    for event in log:
        before = states.get(event.claim_id)
        after = states[event.claim_id] = evolve(before, event)
        running = {each.clock for each in after.clocks}
        expected = CLOCKS[after.status]
        assert running <= set(expected)
        assert set(event.clocks_stopped) <= {each.clock for each in (before.clocks if before else ())}
        if after.status == Status.APPROVED:
            assert bool(running) is (after.consent.stage == ConsentStage.WAITING)
        elif after.status == Status.REJECTED:
            assert bool(running) is is_disputable(policy(after.policy), after, after.reasons)
        else:
            assert running >= set(expected[:1])


def check_handoffs(world: World) -> None:
    """Per approval: eligible at most once, taken back at most once for a unit, and only after it was given."""
    seen: Counter[tuple[ClaimId, int, HandoffType, str]] = Counter()
    states: dict[ClaimId, ClaimState] = {}
    for event in world.log:
        after = states[event.claim_id] = evolve(states.get(event.claim_id), event)
        for message in handoffs(event, after):
            data = message.data
            for unit in data.units:
                seen[data.claim_id, data.approval, message.type, unit] += 1
            if message.type in (HandoffType.ELIGIBLE_REVOKED, HandoffType.ELIGIBLE_ENDED):
                assert all(seen[data.claim_id, data.approval, HandoffType.ELIGIBLE, unit] for unit in data.units)
    assert all(count == 1 for count in seen.values())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_no_history_breaks_an_invariant(steps: list[Step]) -> None:
    world = played(steps)
    for claim, events in world.events.items():
        assert fold(events) == world.states[claim]
    check_prefixes(world.log)
    check_clocks(world.log)
    check_handoffs(world)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.sampled_from(CLAIMS), st.sampled_from(NAMES))
def test_deciding_changes_nothing_by_itself_and_decides_the_same_again(
    steps: list[Step], claim: tuple[str, str], name: CommandName
) -> None:
    world = played(steps)
    command = world.command(claim[0], EXAMPLES[name], claim[1])
    state, facts = world.states.get(command.context.claim_id), world.facts(claim[1])
    kept = dict(world.states)
    first, second = decide(state, command, facts), decide(state, command, facts)
    assert first == second
    assert world.states == kept
    if isinstance(first, Accepted):
        assert all(first.states[event.claim_id].sequence >= event.sequence for event in first.events)


HISTORY = """
from tests.unit.domain.claims import World, sales_form
from cpor.domain.wire import encode
w = World()
a = w.approved("a", "P-1"); w.approved("b", "P-2", displaces=(a.claim_id,))
w.filed("x", doc=7); w.filed("y", "P-2", sales_form(), doc=5); w.filed("z", "P-1", sales_form(), doc=6)
print(b"|".join(encode(event) for event in w.log).decode())
"""


def test_the_same_history_gives_the_same_bytes_under_any_hash_seed() -> None:
    outputs = set()
    for seed in ("0", "1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."}
        done = subprocess.run([sys.executable, "-c", HISTORY], env=env, capture_output=True, check=True, text=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000
