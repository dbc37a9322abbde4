"""The demo's reconciliation finds what does not balance, and its cast is what it says (contract §5, D4, D30)."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from rich.console import Console

from cpor.domain.ids import claim_id
from cpor.domain.vocabulary import PartnerId, Status
from cpor.ops.checker import PipelineLog
from cpor.ops.demo.approvals import Became
from cpor.ops.demo.cast import CLAIMS, ROWS, Cast, End, cast
from cpor.ops.demo.life import life
from cpor.ops.demo.material import subjects
from cpor.ops.demo.reconcile import count
from cpor.ops.demo.report import Report, page
from cpor.ops.demo.stage import Surprise, Tally
from cpor.ops.demo.world import HOMES, Home
from schemas import handoff
from schemas.mail import MAIL
from tests.unit.ops.checker.five import Five, lives
from tests.unit.ops.checker.planting import double, drop, of

TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def five() -> Five:
    return lives()


@pytest.fixture(scope="module")
def log(five: Five) -> PipelineLog:
    return five.log()


def claim(ref: str, partner: str = "P-1") -> str:
    return claim_id(PartnerId(partner), ref)


def unbalanced(log: PipelineLog, tally: Tally | None = None) -> set[str]:
    return {each.left for each in count(log, tally).rows if not each.holds}


# -- the balances -----------------------------------------------------------------------------------------------------


def test_the_books_of_a_whole_life_balance(log: PipelineLog) -> None:
    books = count(log)
    assert unbalanced(log) == set()
    assert books.findings == ()
    assert books.balances.approvals > 0 < books.balances.mails_written


def test_a_record_without_a_receipt_does_not_balance(log: PipelineLog) -> None:
    assert "records sent" in unbalanced(drop(log, "receipts", of()))


def test_a_doubled_receipt_does_not_balance(log: PipelineLog) -> None:
    assert {"records sent", "receipts"} <= unbalanced(double(log, "receipts", of()))


def test_an_approval_that_was_not_handed_off_does_not_balance(log: PipelineLog) -> None:
    assert "approvals" in unbalanced(drop(log, "eligible", of(handoff.ELIGIBLE)))


def test_a_unit_that_is_neither_held_nor_ended_does_not_balance(log: PipelineLog) -> None:
    assert "units opened" in unbalanced(drop(log, "approved", of(handoff.APPROVED_REVOKED)))


def test_an_event_that_the_partner_never_hears_of_does_not_balance(log: PipelineLog) -> None:
    assert "claim events" in unbalanced(drop(log, "updates", of()))


def test_a_mail_that_was_never_written_does_not_balance(log: PipelineLog) -> None:
    assert "mails the events call for" in unbalanced(drop(log, "mails", of(MAIL, kind="official")))


def test_a_mail_of_which_nothing_became_does_not_balance(log: PipelineLog) -> None:
    assert "mails written" in unbalanced(drop(log, "deliveries", of("cpor.delivery.bounced.v1")))


def test_a_delivered_mail_that_no_mailbox_holds_does_not_balance(log: PipelineLog) -> None:
    assert "mails delivered" in unbalanced(replace(log, sink=(log.sink or ())[1:]))


def test_what_the_demo_sent_and_no_topic_holds_does_not_balance(log: PipelineLog) -> None:
    sent = Counter({"P-1": len(log.commands)})
    heard = {"messages the partners sent", "decisions sent", "customers' answers, incentive results"}
    decisions = next(each.right_count for each in count(log, Tally()).rows if each.left == "decisions sent")
    whole = Tally(sent=sent, decisions=decisions, told=len(log.responses))
    assert unbalanced(log, whole) == set()
    assert unbalanced(log, Tally()) == heard


# -- how each claim ends ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ref", "end"),
    [
        ("silent", End(Status.REJECTED, Became.REVOKED)),
        ("answers", End(Status.SUBMITTED)),
        ("ends", End(Status.APPROVED, Became.ENDED_FIRST)),
        ("declined", End(Status.REJECTED, Became.DECLINED)),
        ("first", End(Status.REJECTED, Became.DISPLACED)),
        ("agreed", End(Status.APPROVED, Became.STANDS)),
        ("waits", End(Status.APPROVED, Became.WAITS)),
        ("stands", End(Status.APPROVED, Became.SUSPENDED)),
    ],
)
def test_what_became_of_an_approval_is_read_from_events_and_hand_offs(log: PipelineLog, ref: str, end: End) -> None:
    assert count(log).wrong_ends({claim(ref): end}) == {}


def test_a_claim_that_ended_otherwise_than_its_story_is_named(log: PipelineLog) -> None:
    wrong = count(log).wrong_ends({claim("silent"): End(Status.APPROVED, Became.STANDS), "other": End(Status.DRAFT)})
    assert wrong == {
        claim("silent"): ("approved, handed off", "rejected, handed off, then revoked"),
        "other": ("draft", "nothing"),
    }


def test_a_hand_off_that_is_missing_makes_the_approval_lost(log: PipelineLog) -> None:
    cut = drop(log, "eligible", of(handoff.ELIGIBLE, claim_id=claim("agreed")))
    assert count(cut).became[claim("agreed")] == Became.LOST


# -- the page ---------------------------------------------------------------------------------------------------------


def report(log: PipelineLog, surprises: tuple[Surprise, ...] = (), ends: dict[str, End] | None = None) -> Report:
    refs = dict.fromkeys(ends or {}, "DE-0001")
    told = Cast((), ends or {}, refs | {claim("unknown"): "unknown"}, claim("unknown"))
    return Report(count(log), told, surprises, Tally(), 1.0, life(log, claim("unknown")))


def printed(told: Report) -> str:
    console = Console(width=100, file=io.StringIO(), force_terminal=False)
    console.print(page(told))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_pipeline_that_balances_says_so_on_a_page_of_100_columns(log: PipelineLog) -> None:
    told = report(log)
    assert told.balances
    shown = printed(told)
    assert "It balances" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_the_page_tells_one_claims_life_with_its_mails_in_order_of_time(log: PipelineLog) -> None:
    lines = life(log, claim("unknown"))
    assert [each.at for each in lines] == sorted(each.at for each in lines)
    told = [(each.who, each.what) for each in lines if each.mail]
    assert ("customer", "came back: 550 no such user") in told
    assert "✉ to customer" in printed(report(log))


def test_one_unexpected_answer_is_enough_not_to_balance(log: PipelineLog) -> None:
    told = report(log, (Surprise("withdrawn", "DE-0001 cpor.claim.withdraw.v1", "accepted", "rejected"),))
    assert not told.balances
    assert "withdrawn: DE-0001" in printed(told)


def test_one_claim_that_ended_otherwise_is_enough_not_to_balance(log: PipelineLog) -> None:
    told = report(log, ends={"nowhere": End(Status.APPROVED)})
    assert not told.balances
    assert "DE-0001: nothing; not approved" in printed(told)


def test_one_finding_of_the_checker_is_enough_not_to_balance(log: PipelineLog) -> None:
    told = report(drop(log, "receipts", of()))
    assert told.books.findings
    assert not told.balances
    assert "receipt_missing" in printed(told)


# -- the cast ---------------------------------------------------------------------------------------------------------


def test_the_cast_plays_200_claims_of_partners_in_at_least_five_countries() -> None:
    played = cast(lambda: TODAY)
    assert len(played.ends) == len(played.refs) == CLAIMS == 200
    assert len({home.country for home in HOMES}) >= 5
    assert played.told in played.ends


def test_every_status_is_among_the_endings_and_all_that_can_become_of_an_approval() -> None:
    ends = cast(lambda: TODAY).ends.values()
    assert {end.status for end in ends} == set(Status)
    # P2023 knows no withdrawal of an approved claim (D8).
    assert {end.became for end in ends} == set(Became) - {Became.LOST, Became.WITHDRAWN}


def test_most_claims_go_smoothly() -> None:
    plays = Counter(each.name for each in cast(lambda: TODAY).plays)
    assert plays["approved_in_bulk"] > max(row.claims for row in ROWS)


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.partner_id)
def test_subjects_of_a_partner_never_compete_with_each_other(home: Home) -> None:
    made = list(subjects(home))
    units = [
        (each.customer.tenant_id, unit)
        for each in made
        for unit in ([each.subscription.subscription_id] if each.subscription else each.workloads)
    ]
    assert len(units) == len(set(units))
    assert len({each.claim_ref for each in made}) == len(made)
