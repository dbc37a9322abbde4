"""A mail that could not be delivered is tried again, less and less often, for 48 hours, and by no chance."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpor.domain import ids
from cpor.domain.vocabulary import Instant
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic
from schemas.base import check
from schemas.envelope import read_envelope
from schemas.mail import ATTEMPT, DEFERRED, Bounced, Deferred
from services.notify import posted
from services.notify.delivery import told
from services.notify.smtp import Outcome, Result
from services.notify.waits import FEWEST, GIVE_UP_MS, HOUR_MS, MINUTE_MS, next_attempt, wait_ms
from tests.unit.notify.stage import Stage

LATER, GREYLISTED = "450 4.2.0 mailbox busy", "450 4.2.0 Greylisted, see http://example.org/grey"
MAILS = [ids.name_id(f"mail/{n}") for n in range(200)]


def story(mail_id: str, reply: str = LATER) -> list[int]:
    """When a mail is tried whose server always says this, ms after the first attempt."""
    at, attempt, found = 0, 1, [0]
    while (due := next_attempt(mail_id, attempt, reply, Instant(0), Instant(at))) is not None:
        at, attempt = due, attempt + 1
        found.append(at)
    return found


@pytest.mark.parametrize("reply", [LATER, GREYLISTED, "no answer", ""])
def test_the_last_attempt_is_made_48_hours_after_the_first(reply: str) -> None:
    for mail_id in MAILS:
        assert story(mail_id, reply)[-1] == GIVE_UP_MS == 48 * HOUR_MS


def test_waits_double_up_to_four_hours() -> None:
    usual = [mean(wait_ms(each, attempt, LATER) for each in MAILS) for attempt in range(1, 12)]
    assert all(1.9 < after / before < 2.1 for before, after in pairwise(usual[:8]))
    assert 3.9 * HOUR_MS < usual[-1] < 4.1 * HOUR_MS
    assert 18 <= len(story(MAILS[0])) <= 24


@pytest.mark.parametrize(
    ("reply", "minutes"),
    [
        (GREYLISTED, 5),
        ("451 4.7.1 Greylisting in action, please come back in 00:04:59", 5),
        ("450 4.7.1 Recipient address rejected: Policy restrictions; try again in 300 seconds", 5),
        ("451 4.7.1 graylisted", 5),
        (LATER, 1),
        ("421 4.3.2 greylisted is what others are", 1),
        ("no answer", 1),
    ],
)
def test_who_is_greylisted_comes_back_after_minutes_and_anybody_else_after_one(reply: str, minutes: int) -> None:
    waits = [wait_ms(each, 1, reply) for each in MAILS]
    assert 0.8 * minutes * MINUTE_MS <= min(waits) < max(waits) <= 1.2 * minutes * MINUTE_MS


@given(st.uuids(), st.integers(1, 1_000), st.sampled_from([LATER, GREYLISTED]))
def test_the_same_mail_and_attempt_always_wait_as_long_and_never_longer_than_five_hours(
    mail: object, attempt: int, reply: str
) -> None:
    wait = wait_ms(str(mail), attempt, reply)
    assert wait == wait_ms(str(mail), attempt, reply)
    assert 0 < wait < 5 * HOUR_MS


def test_mails_that_were_refused_together_do_not_come_again_together() -> None:
    waits = sorted(wait_ms(each, 3, LATER) for each in MAILS)
    assert len(set(waits)) > 190
    assert waits[-1] - waits[0] > 0.35 * 4 * MINUTE_MS


def test_a_mail_that_waited_for_us_for_days_is_still_tried_some_times() -> None:
    """A worker that was down, or a test clock that is moved by days, is no fault of the address."""
    at = Instant(7 * 24 * HOUR_MS)
    kept = [next_attempt(MAILS[0], attempt, LATER, Instant(0), at) is not None for attempt in range(1, 6)]
    assert kept == [True] * (FEWEST - 1) + [False, False]


# -- on the test clock, with notify's half -----------------------------------------------------------------------------


def tried_until_settled(stage: Stage, reply: str) -> list[Record]:
    """Delivery without a network: everything that comes is put off with this reply; what was told of it."""
    seen = {Topic.MAIL: 0, Topic.NOTIFY_RESEND: 0}
    for _ in range(40):
        stage.tell()
        for topic, number in seen.items():
            for record in stage.mail_records(topic)[number:]:
                stage.broker.append(attempted(stage, record, reply))
            seen[topic] = len(stage.mail_records(topic))
        stage.tell()
        stage.clock.tick(5 * HOUR_MS)
    return stage.broker.records(Topic.DELIVERIES)


def attempted(stage: Stage, record: Record, reply: str) -> Output:
    (mail,) = {
        each.mail_id: each for each in stage.mails() if each.mail_id == read_envelope(record.headers).id
    }.values()
    attempt = int(record.header("cpor_attempt") or 1)
    return told(record, mail, attempt, Outcome(Result.DEFERRED, reply), Instant(stage.clock.now()))


def test_a_mail_that_nobody_ever_takes_has_bounced_after_48_hours_on_the_clock_that_all_go_by() -> None:
    stage = Stage()
    stage.asked()
    *before, last = tried_until_settled(stage, LATER)
    assert {read_envelope(each.headers).type for each in before} == {DEFERRED}
    entries = [check(Deferred, each.value or b"") for each in before]
    bounced = check(Bounced, last.value or b"")
    assert [*(each.attempt for each in entries), bounced.attempt] == list(range(1, len(before) + 2))
    assert {each.first_at for each in entries} == {entries[0].at}
    assert bounced.at - entries[0].at >= GIVE_UP_MS
    assert bounced.reply == f"gave up after 48 h: {LATER}"
    assert all(each.next_at - entries[0].at <= GIVE_UP_MS for each in entries[FEWEST:])


def test_a_deferral_that_is_told_late_does_not_take_the_next_attempt_back() -> None:
    """A frozen process tells of an attempt that another made in its place long ago: to try again under a number that is
    on record would be to try no more, for what is on record is settled.
    """
    stage = Stage()
    stage.asked()
    stage.tell()
    (mail,) = stage.mails()
    later = stage.clock.now() + HOUR_MS
    for attempt in (1, 2, 1):
        stage.delivery(DEFERRED, mail, attempt, later)
        stage.tell()
    stage.clock.tick(2 * HOUR_MS)
    stage.tell()
    assert [each.header(ATTEMPT) for each in stage.mail_records(Topic.NOTIFY_RESEND)] == ["3"]


def test_a_row_of_the_outbox_is_the_mail_alone_until_it_was_tried() -> None:
    fresh = posted.Posted(b'{"mail_id":"m","claim_id":"c"}')
    assert posted.decode(posted.encode(fresh)) == fresh
    assert posted.encode(fresh) == fresh.value
    tried = posted.Posted(fresh.value, 3, Instant(1_700_000_000_000))
    assert posted.decode(posted.encode(tried)) == tried
    assert list(posted.claim_of(b"m", tried)) == [b"c"]
