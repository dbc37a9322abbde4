"""The demo's reconciliation finds what does not balance, and its cast is what it says (issue of the demo)."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date

import pytest
from rich.console import Console

from cpor.domain.vocabulary import Status
from cpor.ops.checker import PipelineLog
from cpor.ops.demo.cast import CLAIMS, Cast, cast
from cpor.ops.demo.material import subjects
from cpor.ops.demo.reconcile import count
from cpor.ops.demo.report import Report, page
from cpor.ops.demo.stage import Surprise, Tally
from cpor.ops.demo.world import HOMES
from cpor.runtime.record import Record

CLAIM = "329bd813-1508-54e2-8f43-89929e26cde2"
UNITS = ("t/workload/teams", "t/workload/intune")


def record(topic: str, kind: str, value: str | None, key: str = "k", offset: int = 0, ce_id: str = "") -> Record:
    told = None if value is None else value.encode()
    headers = (("ce_type", kind.encode()), ("ce_id", (ce_id or f"{topic}{offset}").encode()))
    return Record(topic, 0, offset, 0, key.encode(), told, headers)


def approved(approval: int = 3) -> Record:
    units = ", ".join(f'"{unit}"' for unit in UNITS)
    return record(
        "approved", "cpor.approved.v1", f'{{"claim_id": "{CLAIM}", "approval": {approval}, "units": [{units}]}}'
    )


def revoked(*units: str, offset: int = 1) -> Record:
    named = ", ".join(f'"{unit}"' for unit in units)
    value = f'{{"claim_id": "{CLAIM}", "approval": 3, "units": [{named}]}}'
    return record("approved", "cpor.approved.revoked.v1", value, offset=offset)


def held(unit: str, offset: int) -> Record:
    value = f'{{"unit": "{unit}", "claims": [{{"claim_id": "{CLAIM}"}}]}}'
    return record("associations", "cpor.association.v1", value, key=unit, offset=offset)


def unbalanced(log: PipelineLog, tally: Tally | None = None) -> set[str]:
    return {each.left for each in count(log, tally).balances if not each.holds}


def test_an_approval_balances_when_each_unit_is_held_or_ended() -> None:
    log = PipelineLog(1, approved=(approved(), revoked(UNITS[1])), associations=(held(UNITS[0], 0),))
    assert not unbalanced(log) & {"approvals", "units opened"}


def test_a_unit_that_is_neither_held_nor_ended_does_not_balance() -> None:
    log = PipelineLog(1, approved=(approved(),), associations=(held(UNITS[0], 0),))
    assert "units opened" in unbalanced(log)


def test_an_approval_without_any_unit_left_must_have_been_ended() -> None:
    gone = record("associations", "", None, key=UNITS[0], offset=1)
    log = PipelineLog(1, approved=(approved(), revoked(UNITS[1])), associations=(held(UNITS[0], 0), gone))
    assert {"approvals", "units opened"} <= unbalanced(log)


def test_a_record_without_a_receipt_does_not_balance() -> None:
    sent = record("cpor.partners.P-1.commands", "cpor.claim.cancel.v1", "{}")
    assert "records sent" in unbalanced(PipelineLog(1, commands=(sent,)))


def test_a_message_that_never_reached_the_topic_does_not_balance() -> None:
    tally = Tally(sent=Counter({"P-1": 1}))
    assert "messages the partners sent" in unbalanced(PipelineLog(1), tally)


def test_a_dead_letter_is_not_allowed() -> None:
    letter = record("cpor.dead-letters", "x", "{}")
    assert "dead letters" in unbalanced(PipelineLog(1, dead_letters=(letter,)))


def test_a_claim_that_ended_otherwise_than_its_story_is_named() -> None:
    state = record("state", "cpor.claim.state.v1", f'{{"claim_id": "{CLAIM}", "partner_id": "P", "status": "draft"}}')
    books = count(PipelineLog(1, states=(state,)))
    assert books.wrong_ends({CLAIM: Status.APPROVED}) == {CLAIM: ("approved", "draft")}
    assert books.wrong_ends({CLAIM: Status.DRAFT, "other": Status.DRAFT}) == {"other": ("draft", None)}


def report(log: PipelineLog, surprises: tuple[Surprise, ...] = (), ends: dict[str, Status] | None = None) -> Report:
    return Report(count(log), Cast((), ends or {}, dict.fromkeys(ends or {}, "DE-0001")), surprises, Tally(), 1.0)


def printed(told: Report) -> str:
    console = Console(width=100, file=io.StringIO(), force_terminal=False)
    console.print(page(told))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_empty_pipeline_balances_and_says_so() -> None:
    told = report(PipelineLog(1))
    assert told.balances
    assert "It balances" in printed(told)


def test_one_unexpected_answer_is_enough_not_to_balance() -> None:
    told = report(PipelineLog(1), (Surprise("withdrawn", "DE-0001 cpor.claim.withdraw.v1", "accepted", "rejected"),))
    assert not told.balances
    assert "withdrawn: DE-0001" in printed(told)


def test_one_claim_that_ended_otherwise_is_enough_not_to_balance() -> None:
    told = report(PipelineLog(1), ends={CLAIM: Status.APPROVED})
    assert not told.balances
    assert "DE-0001: None, not approved" in printed(told)


def test_one_finding_of_the_checker_is_enough_not_to_balance() -> None:
    sent = record("cpor.partners.P-1.commands", "cpor.claim.cancel.v1", "{}")
    told = report(PipelineLog(1, commands=(sent,)))
    assert told.books.findings
    assert "receipt_missing" in printed(told)


# -- the cast ---------------------------------------------------------------------------------------------------------


def test_the_cast_plays_200_claims_of_partners_in_at_least_five_countries() -> None:
    played = cast(lambda: date(2026, 3, 2))
    assert len(played.ends) == len(played.refs) == CLAIMS == 200
    assert len({home.country for home in HOMES}) >= 5


def test_every_outcome_is_among_the_endings() -> None:
    assert set(cast(lambda: date(2026, 3, 2)).ends.values()) == set(Status)


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.partner_id)
def test_subjects_of_a_partner_never_compete_with_each_other(home: object) -> None:
    made = list(subjects(home))  # type: ignore[arg-type]
    units = [
        (each.customer.tenant_id, unit)
        for each in made
        for unit in ([each.subscription.subscription_id] if each.subscription else each.workloads)
    ]
    assert len(units) == len(set(units))
    assert len({each.claim_ref for each in made}) == len(made)
