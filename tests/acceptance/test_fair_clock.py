"""The fair clock on a whole pipeline: what was received in time counts, whoever was away when it came (D19, D4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cpor.devstack.mail import received
from cpor.domain.vocabulary import CommandName, EventName, parse_instant
from cpor.ops.reading import read_whole
from cpor.ops.running import SERVICES, await_ready
from cpor.runtime.clock import TestClock
from cpor.runtime.topics import Topic
from schemas import consent, handoff
from schemas.mail import MailKind
from tests.acceptance.bad_input.world import Claim, World, open_world
from tests.chaos.instance import await_true
from tests.chaos.story import Answered

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

#: A Monday of the older edition, whose seven days to decline are hard (D4).
BEGINS, SIGNED = "2021-03-01T08:00:00Z", "2021-02-15"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
PATIENCE = 60.0


@dataclass
class Days:
    """The world, its clock, and who is away for a while."""

    world: World

    @property
    def clock(self) -> TestClock:
        clock = self.world.running.instance.clock
        assert isinstance(clock, TestClock)
        return clock

    def move_to(self, instant: int) -> None:
        """Waits for nobody."""
        self.clock.set(instant)

    def pass_to(self, instant: int) -> None:
        """Until everybody is done with what is due by then."""
        self.move_to(instant)
        self.world.rests()

    @contextmanager
    def away(self, service: str) -> Iterator[None]:
        supervisor = self.world.running.supervisor
        supervisor.stop_worker(f"{service}-0")
        yield
        supervisor.start_worker(f"{service}-0")
        await_ready(self.world.running)

    def await_held(self, service: str) -> None:
        """Until a timer of the service is due and waits for somebody who is away."""

        def held() -> bool:
            told = self.world.running.health(service, "0") or {}
            return bool(told.get("gate_held"))

        await_true(held, PATIENCE, lambda: f"{service} holds nothing back")

    # -- claims -------------------------------------------------------------------------------------------------------

    def asked(self) -> tuple[Claim, int]:
        """A claim whose partner has to answer, and until when."""
        claim = self._under_review()
        reasons = [{"code": "missing_products"}]
        asked = claim.desk(CommandName.REVIEW_REQUEST_INFORMATION, reasons=reasons, comment="Which?")
        self.world.rests()
        return claim, due_of(asked, "partner_answer")

    def approved(self) -> tuple[Claim, int]:
        """A claim whose customer was told of its approval, and until when the customer may say no."""
        claim = self._under_review()
        approved = claim.desk(CommandName.REVIEW_APPROVE)
        self.world.rests()
        return claim, due_of(approved, "consent_wait")

    def _under_review(self) -> Claim:
        claim = self.world.claim()
        assert claim.file().outcome == "accepted"
        claim.desk(CommandName.REVIEW_START)
        return claim

    def declines(self, claim: Claim) -> None:
        """The customer's no, by the link in the notice."""
        (asked,) = self.of(Topic.CONSENT_EVENTS, claim, consent.REQUESTED)
        said = {"answer": "decline", "channel": "page", "token_id": asked["id"]}
        word = Answered(claim.id, claim.tenant, said, next(self.world.numbers))
        self.world.put(word.output(*self.world.sizes))

    # -- what was told ------------------------------------------------------------------------------------------------

    def of(self, topic: str, claim: Claim, *types: str) -> list[dict[str, Any]]:
        """The records about a claim, in order: their values with `type` and `id`."""
        found = read_whole(self.world.running.instance.transport, [topic])
        told = [(each.header("ce_type") or "", each) for each in found if each.header("ce_subject") == claim.id]
        return [
            {**json.loads(each.value or b"{}"), "type": kind, "id": each.header("ce_id")}
            for kind, each in told
            if not types or kind in types
        ]

    def events(self, claim: Claim) -> list[str]:
        return [each["type"].removeprefix("cpor.claim.").removesuffix(".v1") for each in self._history(claim)]

    def _history(self, claim: Claim) -> list[dict[str, Any]]:
        return self.of(Topic.CLAIM_EVENTS, claim)

    def last(self, claim: Claim, name: EventName) -> dict[str, Any]:
        return next(each for each in reversed(self._history(claim)) if each["type"] == name.ce_type)

    def expiries(self, claim: Claim) -> int:
        return len(self.of(Topic.CLAIM_COMMANDS, claim, CommandName.DEADLINE_EXPIRED))

    def handed_off(self, claim: Claim) -> int:
        return len(self.of(Topic.ELIGIBLE, claim, handoff.ELIGIBLE))

    def mails(self, claim: Claim, kind: MailKind) -> int:
        """Mails of a kind that arrived."""
        found = received(Path(self.world.running.instance.endpoints.mail_dir))
        return sum(
            (str(each.message["X-CPOR-Claim"]), str(each.message["X-CPOR-Kind"])) == (claim.id, kind) for each in found
        )


def due_of(event: dict[str, Any], clock: str) -> int:
    return next(parse_instant(each["due"]) for each in event["clocks_started"] if each["clock"] == clock)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """All services, one worker each; the tests move the clock on, and none back."""
    with open_world(tmp_path_factory.mktemp("fair-clock"), BEGINS, SERVICES) as world:
        world.signed = SIGNED
        yield Days(world)


def test_an_answer_received_in_time_wins_though_intake_was_away_for_the_hour_around_the_end(days: Days) -> None:
    claim, due = days.asked()
    days.pass_to(due - HOUR)
    with days.away("intake"):
        days.move_to(due - 30 * MINUTE)
        answer = claim.post(CommandName.RESUBMIT, comment="As the document says")
        days.move_to(due + 30 * MINUTE)
        days.await_held("deadlines")
        assert days.expiries(claim) == 0
    receipt = days.world.answer(answer)
    assert receipt.outcome == "accepted"
    assert parse_instant(receipt.value["received_at"]) < due < parse_instant(receipt.value["decided_at"])
    days.world.rests()
    # A time-out may still follow the answer into the inbox, where it finds its clock stopped.
    assert days.events(claim)[-1] == EventName.RESUBMITTED
    assert EventName.REJECTED not in days.events(claim)


def test_silence_over_that_hour_expires_the_claim_once_when_intake_is_back(days: Days) -> None:
    claim, due = days.asked()
    days.pass_to(due - HOUR)
    with days.away("intake"):
        # Another claim's message lies there unread: intake has to say that there was nothing in time.
        other = days.world.claim().post(CommandName.COMMENT, text="Of no claim")
        days.move_to(due + 30 * MINUTE)
        days.await_held("deadlines")
        assert days.expiries(claim) == 0
    assert days.world.answer(other).code == "claim_unknown"
    days.world.rests()
    assert (days.expiries(claim), days.events(claim).count(EventName.REJECTED)) == (1, 1)
    assert [each["code"] for each in days.last(claim, EventName.REJECTED)["reasons"]] == ["no_partner_response"]
    assert days.mails(claim, MailKind.REJECTED) == 1


def test_a_no_on_the_last_evening_counts_though_consent_read_it_the_next_day(days: Days) -> None:
    claim, due = days.approved()
    days.pass_to(due - 3 * HOUR)
    with days.away("consent"):
        days.move_to(due - 2 * HOUR)
        days.declines(claim)
        days.move_to(due + 10 * HOUR)
    days.world.rests()
    assert days.events(claim)[-1] == EventName.REJECTED
    assert [each["code"] for each in days.last(claim, EventName.REJECTED)["reasons"]] == ["customer_declined"]
    assert days.handed_off(claim) == 0


def test_a_no_a_minute_after_the_seven_days_is_ignored_and_the_claim_handed_off_once(days: Days) -> None:
    claim, due = days.approved()
    days.pass_to(due - 3 * HOUR)
    with days.away("consent"):
        days.move_to(due + MINUTE)
        days.declines(claim)
        days.move_to(due + 10 * HOUR)
    days.world.rests()
    assert len(days.of(Topic.CONSENT_EVENTS, claim, consent.IGNORED)) == 1
    assert days.events(claim)[-1] == EventName.CONSENT_COMPLETED
    assert days.handed_off(claim) == 1
    days.declines(claim)
    days.world.rests()
    assert days.events(claim)[-1] == EventName.CONSENT_COMPLETED, "P2020: after the seven days never"


def test_deadlines_that_were_away_for_a_day_expire_a_claim_once(days: Days) -> None:
    claim, due = days.asked()
    days.pass_to(due - HOUR)
    with days.away("deadlines"):
        days.move_to(due + DAY)
    days.world.rests()
    assert (days.expiries(claim), days.events(claim).count(EventName.REJECTED)) == (1, 1)


def test_a_message_keeps_the_time_at_which_it_came_however_far_the_clock_is_moved_before_it_is_read(days: Days) -> None:
    """The edition is that of the day on which it was received (D1), four years and several pieces of the clock ago."""
    last_minute = parse_instant("2023-10-09T21:59:00Z")
    days.pass_to(last_minute - HOUR)
    with days.away("intake"):
        days.move_to(last_minute)
        claim, other = days.world.claim(), days.world.claim()
        sent = claim.post(CommandName.CREATE, **claim.form())
        days.move_to(last_minute + 2 * MINUTE)
        late = other.post(CommandName.CREATE, **other.form())
        days.move_to(last_minute + DAY)
    receipt, later = days.world.answers([sent, late])
    assert 0 <= parse_instant(receipt.value["received_at"]) - last_minute < MINUTE
    assert 2 * MINUTE <= parse_instant(later.value["received_at"]) - last_minute < 3 * MINUTE
    assert parse_instant(receipt.value["decided_at"]) - last_minute >= DAY
    editions = [days.last(each, EventName.DRAFTED)["policy"] for each in (claim, other)]
    assert editions == ["P2020", "P2023"]


def test_after_all_that_nothing_is_lost_or_said_twice(days: Days) -> None:
    days.world.assert_accounted()
