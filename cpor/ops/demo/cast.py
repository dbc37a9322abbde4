"""Which story is played how often: the demo's 200 claims, and what must have become of each (contract §5)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from cpor.devstack.samples import bad_files
from cpor.domain.vocabulary import Status
from cpor.ops.demo import stories
from cpor.ops.demo.act import Act
from cpor.ops.demo.asks import Story
from cpor.ops.demo.material import Subject, subjects
from cpor.ops.demo.stage import Play
from cpor.ops.demo.world import HOMES

CLAIMS = 200

S = Status


@dataclass(frozen=True, slots=True)
class Row:
    """A story of one claim, how many claims play it, and the status in which each must end."""

    story: Callable[[Act], Story]
    claims: int
    ends: Status


ROWS: tuple[Row, ...] = (
    Row(stories.approved_step_by_step, 24, S.APPROVED),
    Row(stories.asked_then_approved, 14, S.APPROVED),
    Row(stories.narrowed_then_approved, 6, S.APPROVED),
    Row(stories.sent_twice, 6, S.APPROVED),
    Row(stories.left_as_draft, 5, S.DRAFT),
    Row(stories.cancelled, 6, S.CANCELLED),
    Row(stories.waits_for_reviewer, 7, S.SUBMITTED),
    Row(stories.waits_in_review, 6, S.UNDER_REVIEW),
    Row(stories.waits_for_partner, 5, S.PARTNER_ACTION_REQUIRED),
    Row(stories.withdrawn, 6, S.REJECTED),
    Row(stories.declined_early, 4, S.REJECTED),
    Row(stories.rejected, 9, S.REJECTED),
    Row(stories.dispute_waits, 4, S.DISPUTED),
    Row(stories.dispute_won, 8, S.APPROVED),
    Row(stories.dispute_lost, 7, S.REJECTED_FINAL),
    Row(stories.disassociated, 8, S.REJECTED_FINAL),
)
#: Plays the rest: most claims go smoothly.
USUAL = Row(stories.approved_in_bulk, 0, S.APPROVED)


@dataclass(frozen=True)
class Cast:
    """All plays, and the status in which each claim must end, by claim id."""

    plays: tuple[Play, ...]
    ends: dict[str, Status]
    refs: dict[str, str]


def cast(today: Callable[[], date]) -> Cast:
    """The plays of all 200 claims. The same every time."""
    acts = _acts(today)
    told = [*_pairs(acts), *_muddled(acts), *_bad_files(acts), *_rows(acts)]
    left = CLAIMS - sum(len(ends) for _, ends in told)
    told += [_single(USUAL, act) for act in itertools.islice(acts, left)]
    ends = {act.claim_id: status for _, both in told for act, status in both}
    refs = {act.claim_id: act.claim_ref for _, both in told for act, _ in both}
    return Cast(tuple(play for play, _ in told), ends, refs)


Told = tuple[Play, list[tuple[Act, Status]]]


def _acts(today: Callable[[], date]) -> Iterator[Act]:
    """Partners take turns."""
    for turn in zip(*(subjects(home) for home in HOMES), strict=True):
        yield from (Act(subject, today) for subject in turn)


def _single(row: Row, act: Act) -> Told:
    return Play(row.story.__name__, row.story(act)), [(act, row.ends)]


def _rows(acts: Iterator[Act]) -> list[Told]:
    return [_single(row, next(acts)) for row in ROWS for _ in range(row.claims)]


def _bad_files(acts: Iterator[Act]) -> list[Told]:
    """One refused file of each kind (D21)."""
    told: list[Told] = []
    for kind, bad in bad_files().items():
        act = next(acts)
        told.append((Play(f"bad file: {kind}", stories.bad_file_first(act, bad)), [(act, S.APPROVED)]))
    return told


def _muddled(acts: Iterator[Act]) -> list[Told]:
    """One for each partner, with another customer and another partner to take them for."""
    told: list[Told] = []
    for home, other in zip(HOMES, (*HOMES[1:], HOMES[0]), strict=True):
        act = next(acts)
        assert act.partner_id == home.partner_id
        tenants = [each.tenant_id for each in home.buyers if each.tenant_id != act.tenant_id]
        told.append((Play("muddled", stories.muddled(act, tenants[0], other.partner_id)), [(act, S.SUBMITTED)]))
    return told


def _pairs(acts: Iterator[Act]) -> list[Told]:
    """Two pairs of partners after the same units; the challenger is the next partner's claim on the same customer."""
    turn = [next(acts) for _ in HOMES]
    loses, wins = (turn[0], _against(turn[0], turn[1])), (turn[2], _against(turn[2], turn[3]))
    rest = [_single(USUAL, act) for act in turn[4:]]
    return [
        (Play("challenger loses", stories.challenger_loses(*loses)), [(loses[0], S.APPROVED), (loses[1], S.REJECTED)]),
        (Play("challenger wins", stories.challenger_wins(*wins)), [(wins[0], S.REJECTED), (wins[1], S.APPROVED)]),
        *rest,
    ]


def _against(incumbent: Act, challenger: Act) -> Act:
    """The challenger's own reference and location, on the incumbent's customer and units."""
    wanted, own = incumbent.subject, challenger.subject
    return replace(
        challenger,
        subject=Subject(own.home, own.number, wanted.customer, wanted.role, wanted.workloads, wanted.subscription),
    )
