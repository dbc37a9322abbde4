"""Which story is played how often: the demo's 200 claims, and what must have become of each (contract §5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from cpor.devstack.samples import bad_files
from cpor.domain.vocabulary import Status
from cpor.ops.demo import afterwards, stories
from cpor.ops.demo.act import Act
from cpor.ops.demo.approvals import Became
from cpor.ops.demo.asks import Story
from cpor.ops.demo.material import Subject, subjects
from cpor.ops.demo.stage import Play
from cpor.ops.demo.world import HOMES

CLAIMS = 200

S, B = Status, Became


@dataclass(frozen=True, slots=True)
class End:
    """Where a claim must be when the demo is over: its status, and what became of its newest approval."""

    status: Status
    became: Became = Became.NOTHING


#: The end of most claims.
OFFICIAL = End(S.APPROVED, B.STANDS)


@dataclass(frozen=True, slots=True)
class Row:
    """A story of one claim, how many claims play it, and how each must end. `sold`: of a subscription only."""

    story: Callable[[Act], Story]
    claims: int
    end: End
    sold: bool = False


# fmt: off
ROWS: tuple[Row, ...] = (
    Row(stories.approved_step_by_step,              14, OFFICIAL),
    Row(stories.asked_then_approved,                 8, OFFICIAL),
    Row(stories.narrowed_then_approved,              4, OFFICIAL),
    Row(stories.sent_twice,                          4, OFFICIAL),
    Row(stories.left_as_draft,                       4, End(S.DRAFT)),
    Row(stories.cancelled,                           4, End(S.CANCELLED)),
    Row(stories.waits_for_reviewer,                  5, End(S.SUBMITTED)),
    Row(stories.waits_in_review,                     4, End(S.UNDER_REVIEW)),
    Row(stories.withdrawn,                           4, End(S.REJECTED)),
    Row(stories.rejected,                            2, End(S.REJECTED)),
    Row(stories.dispute_waits,                       3, End(S.DISPUTED)),
    Row(stories.dispute_won,                         6, OFFICIAL),
    Row(stories.dispute_lost,                        5, End(S.REJECTED_FINAL)),
    Row(stories.disassociated,                       3, End(S.REJECTED_FINAL, B.DISASSOCIATED)),
    Row(afterwards.whole_life,                       1, End(S.REJECTED, B.REVOKED)),
    Row(afterwards.waits_for_partner,                4, End(S.PARTNER_ACTION_REQUIRED)),
    Row(afterwards.never_answers,                    5, End(S.REJECTED)),
    Row(afterwards.answers_when_reminded,            4, OFFICIAL),
    Row(afterwards.disputes_too_late,                5, End(S.REJECTED)),
    Row(afterwards.declined_when_asked,              3, End(S.REJECTED)),
    Row(afterwards.declined_in_review,               3, End(S.REJECTED)),
    Row(afterwards.declined_while_disputed,          2, End(S.REJECTED_FINAL)),
    Row(afterwards.declined_in_the_wait,             4, End(S.REJECTED, B.DECLINED)),
    Row(afterwards.declined_after_the_hand_off,      4, End(S.REJECTED, B.REVOKED)),
    Row(afterwards.agreed,                           4, OFFICIAL),
    Row(afterwards.agreed_by_phone,                  3, OFFICIAL),
    Row(afterwards.bounced,                          2, End(S.APPROVED, B.SUSPENDED)),
    Row(afterwards.bounced_then_mended_by_partner,   3, OFFICIAL),
    Row(afterwards.bounced_then_mended_by_operator,  3, OFFICIAL),
    Row(afterwards.greylisted,                       4, OFFICIAL),
    Row(afterwards.disassociated_later,              3, End(S.REJECTED_FINAL, B.REVOKED)),
    Row(afterwards.subscription_ends,                4, End(S.APPROVED, B.ENDED), sold=True),
    Row(afterwards.subscription_ends_in_the_wait,    2, End(S.APPROVED, B.ENDED_FIRST), sold=True),
    Row(afterwards.paid,                             4, OFFICIAL),
    Row(afterwards.not_paid,                         2, OFFICIAL),
    Row(afterwards.approved_at_the_end,              5, End(S.APPROVED, B.WAITS)),
)
# fmt: on
#: Plays the rest: most claims go smoothly.
USUAL = Row(stories.approved_in_bulk, 0, OFFICIAL)
#: Whose life the last page tells.
TOLD = afterwards.whole_life.__name__

Told = tuple[Play, list[tuple[Act, End]]]


@dataclass(frozen=True)
class Cast:
    """All plays; by claim id how each claim must end, and its reference. `told` is the claim to tell of."""

    plays: tuple[Play, ...]
    ends: dict[str, End]
    refs: dict[str, str]
    told: str = ""


def cast(today: Callable[[], date]) -> Cast:
    """The plays of all 200 claims. The same every time."""
    pool = Pool(today)
    told = [*_pairs(pool), *_muddled(pool), *_bad_files(pool), *_rows(pool)]
    left = CLAIMS - sum(len(ends) for _, ends in told)
    told += [_single(USUAL, pool.take()) for _ in range(left)]
    both = [each for _, ends in told for each in ends]
    return Cast(
        tuple(play for play, _ in told),
        {act.claim_id: end for act, end in both},
        {act.claim_id: act.claim_ref for act, _ in both},
        next(ends[0][0].claim_id for play, ends in told if play.name == TOLD),
    )


class Pool:
    """Claims to be cast; partners take turns."""

    def __init__(self, today: Callable[[], date]) -> None:
        turns = zip(*(subjects(home) for home in HOMES), strict=True)
        self._acts = [Act(subject, today) for turn in turns for subject in turn]

    def take(self, *, sold: bool = False) -> Act:
        """The next one; `sold`: the next that is about a subscription."""
        wanted = (n for n, act in enumerate(self._acts) if act.subject.subscription or not sold)
        return self._acts.pop(next(wanted))

    def turn(self) -> list[Act]:
        """One of each partner."""
        return [self._of(home.partner_id) for home in HOMES]

    def _of(self, partner: str) -> Act:
        return self._acts.pop(next(n for n, act in enumerate(self._acts) if act.partner_id == partner))


def _single(row: Row, act: Act) -> Told:
    return Play(row.story.__name__, row.story(act)), [(act, row.end)]


def _rows(pool: Pool) -> list[Told]:
    return [_single(row, pool.take(sold=row.sold)) for row in ROWS for _ in range(row.claims)]


def _bad_files(pool: Pool) -> list[Told]:
    """One refused file of each kind (D21)."""
    told: list[Told] = []
    for kind, bad in bad_files().items():
        act = pool.take()
        told.append((Play(f"bad file: {kind}", stories.bad_file_first(act, bad)), [(act, OFFICIAL)]))
    return told


def _muddled(pool: Pool) -> list[Told]:
    """One for each partner, with another customer and another partner to take them for."""
    told: list[Told] = []
    for act, other in zip(pool.turn(), (*HOMES[1:], HOMES[0]), strict=True):
        buyers = act.subject.home.buyers
        tenants = [each.tenant_id for each in buyers if each.tenant_id != act.tenant_id]
        told.append((Play("muddled", stories.muddled(act, tenants[0], other.partner_id)), [(act, End(S.SUBMITTED))]))
    return told


def _pairs(pool: Pool) -> list[Told]:
    """Pairs of partners after the same units; the challenger is the next partner's claim on the same customer."""
    turn = pool.turn()
    loses, wins, later = ((turn[n], _against(turn[n], turn[n + 1])) for n in (0, 2, 4))
    return [
        (
            Play("challenger loses", stories.challenger_loses(*loses)),
            [(loses[0], OFFICIAL), (loses[1], End(S.REJECTED))],
        ),
        (
            Play("challenger wins", stories.challenger_wins(*wins)),
            [(wins[0], End(S.REJECTED, B.DISPLACED)), (wins[1], OFFICIAL)],
        ),
        (
            Play("displaced later", afterwards.displaced_later(*later)),
            [(later[0], End(S.REJECTED, B.REVOKED)), (later[1], OFFICIAL)],
        ),
    ]


def _against(incumbent: Act, challenger: Act) -> Act:
    """The challenger's own reference and location, on the incumbent's customer and units."""
    wanted, own = incumbent.subject, challenger.subject
    return replace(
        challenger,
        subject=Subject(own.home, own.number, wanted.customer, wanted.role, wanted.workloads, wanted.subscription),
    )
