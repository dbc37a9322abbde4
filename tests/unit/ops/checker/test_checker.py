"""The checker finds nothing in a good log, and exactly the fault in one with a fault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

import services.review.publish
from cpor.domain import ids
from cpor.domain.associations import Association, associations_after
from cpor.domain.deciding import competing
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import CommandName, EventName, UnitId
from cpor.ops.checker import Finding, FindingCode, PipelineLog, check, summary
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, commands_topic
from tests.unit.ops.checker import planted_five
from tests.unit.ops.checker.planted import PLANTED, RIVAL, TEAMS
from tests.unit.ops.checker.planting import drop, key, of, the_last, value_of
from tests.unit.ops.checker.whole import Whole, a_life
from tests.unit.review.pipeline import usage_form

F = FindingCode
E = EventName


def codes(found: list[Finding]) -> set[FindingCode]:
    return {each.code for each in found}


@pytest.fixture(scope="module")
def good() -> PipelineLog:
    return a_life().log()


def test_a_good_log_has_no_findings(good: PipelineLog) -> None:
    assert [str(each) for each in check(good)] == []


def test_the_summary_reconciles(good: PipelineLog) -> None:
    told = summary(good)
    assert told.records_sent == told.receipts == sum(told.receipts_by_code.values())
    assert told.claims == sum(told.claims_by_status.values()) == 7
    assert (told.approvals, told.eligible, told.units_held, told.dead_letters) == (4, 2, 2, 0)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(good: PipelineLog, name: str) -> None:
    plant, expected = PLANTED[name]
    found = check(plant(good))
    assert {each.code for each in found} == expected, "\n".join(map(str, found))
    assert all(each.ids and each.sentence.endswith(".") for each in found)


def test_every_finding_there_is_has_been_planted() -> None:
    planted = (*PLANTED.values(), *planted_five.PLANTED.values())
    assert {code for _, codes in planted for code in codes} == set(FindingCode)


def test_every_finding_names_the_rule_that_is_broken() -> None:
    assert all(code.source for code in FindingCode)


def test_a_lost_pair_of_records_is_found_once_each(good: PipelineLog) -> None:
    without = drop(drop(good, "receipts", of(claim_ref="weak")), "receipts", of(claim_ref="usage"))
    assert [each.code for each in check(without)] == [F.RECEIPT_MISSING] * 2


def test_a_record_among_the_dead_letters_needs_no_receipt(good: PipelineLog) -> None:
    sent = the_last(good, "commands", key("nobody"))
    told = {
        "dlq_id": ids.name_id("letter"),
        "dlq_service": "intake",
        "dlq_reason": "poison",
        "dlq_detail": "",
        "dlq_topic": sent.topic,
        "dlq_partition": str(sent.partition),
        "dlq_offset": str(sent.offset),
        "dlq_received_at": "0",
    }
    headers = (*sent.headers, *((name, text.encode()) for name, text in told.items()))
    letter = Record(Topic.DEAD_LETTERS, 0, 0, 0, sent.key, sent.value, headers)
    without = drop(good, "receipts", of(code="claim_unknown"))
    assert check(replace(without, dead_letters=(letter,)), letters=("poison",)) == []
    assert codes(check(replace(without, dead_letters=(letter,)))) == {F.DEAD_LETTER}
    nameless = replace(without, dead_letters=(letter._replace(headers=()),))
    assert codes(check(nameless, letters=("poison",))) == {F.RECEIPT_MISSING, F.UNREADABLE}


def test_a_command_that_is_decided_a_second_time_is_found() -> None:
    """As after a transaction that was done twice: the same record again, with all that follows from it."""
    whole = Whole()
    whole.say("c", CommandName.CREATE, usage_form())
    whole.say("c", CommandName.COMMENT, {"text": "Once."})
    asked = the_last(whole.log(), "inbox", of(CommandName.COMMENT))
    whole.append(asked.topic, asked.partition, (asked.key or b"").decode(), asked.value, asked.headers)
    whole.run()
    assert codes(check(whole.log())) == {F.INBOX_DOUBLED, F.RECEIPT_DOUBLED, F.DECIDED_TWICE}


def test_a_reviewer_who_forgets_the_incumbent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Review without its guard, all its topics consistent with what it did."""

    def newest_only(unit: UnitId, claims: Iterable[ClaimState]) -> Association | None:
        holding = [each for each in claims if unit in each.units]
        return associations_after(unit, sorted(holding, key=lambda each: each.decided_at or 0)[-1:])

    monkeypatch.setattr(competing, "incumbents", lambda *_: ())
    monkeypatch.setattr(services.review.publish, "associations_after", newest_only)
    whole = Whole()
    for partner in ("P-1", "P-2"):
        whole.file("c", usage_form("teams"), by=partner)
        whole.approve("c", by=partner)
    found = check(whole.log())
    assert [each.code for each in found] == [F.TWO_HOLDERS]
    assert found[0].ids["unit"] == TEAMS


def test_a_claim_with_a_gap_says_nothing_about_its_units(good: PipelineLog) -> None:
    found = check(drop(good, "events", of(E.REVIEW_STARTED.ce_type, claim_id=RIVAL)))
    assert {each.code for each in found} == {F.SEQUENCE_GAP, F.COMMAND_UNANSWERED}


def test_an_unknown_claims_refusal_stands_outside_any_history() -> None:
    whole = Whole()
    whole.review("nowhere", CommandName.REVIEW_START)
    log = whole.log()
    assert check(log) == []
    assert [value_of(each)["sequence"] for each in log.events] == [0]


def test_records_come_in_the_order_of_their_partition_whoever_read_them(good: PipelineLog) -> None:
    shuffled = replace(good, events=tuple(reversed(good.events)), approved=tuple(reversed(good.approved)))
    assert check(shuffled) == []
    assert commands_topic("P-1") in {record.topic for record in shuffled.commands}
