"""An operator checks answers that were held: what is listed, what is written, and what is to be done next (D20)."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import Status, instant_text
from cpor.ops.answers import Became, judged
from cpor.ops.book import Claim
from cpor.ops.consent_review import asked_for, evidence_lines, held_json, next_of, sentence
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.held import HeldAnswer, held_answers, pick_held, records
from cpor.ops.standing import TOPICS as STANDING
from cpor.ops.standing import standing_of
from cpor.ops.tasks import TOPICS, tasks_of
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from schemas.audit import AnswerChecked
from schemas.base import check
from schemas.consent import Checked, Finding
from tests.unit.consent.stage import PARTITION, Stage
from tests.unit.ops.answering import MESSAGE, became_of
from tests.unit.review.pipeline import of


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.waiting()
    return made


def waiting(stage: Stage) -> list[HeldAnswer]:
    return held_answers(MemoryTransport(stage.broker), [Claim(stage.claim(), "Contoso")])


def put(stage: Stage, held: HeldAnswer, finding: Finding, message_id: str = MESSAGE) -> Became:
    """As `cpor consent review` writes it; what it hears."""
    outputs = records(held.claim.state, held.id, finding, "o-lind", "Called.", message_id, stage.clock.now(), PARTITION)
    return became_of(stage, outputs, message_id)


def kinds(stage: Stage) -> list[str]:
    told = [each for topic in TOPICS for each in stage.broker.records(topic)]
    return [each.kind.value for each in tasks_of([Claim(stage.claim(), "Contoso")], told)]


def verdicts(stage: Stage) -> list[str]:
    told = [each for topic in STANDING for each in stage.broker.records(topic)]
    return [each.verdict for each in standing_of(told, of("c")).answers]


def test_what_waits_is_listed_with_its_doubts_and_evidence_the_oldest_first(stage: Stage) -> None:
    came = stage.clock.now()
    stage.doubtful("decline", "no_visit", "too_soon", evidence='{"user_agent":"Bot/1","notice":{"kind":"approved"}}')
    stage.answers("agree", "mail", operator=None, evidence="a letter")
    first, second = waiting(stage)
    assert (first.answer, first.channel, first.doubts) == ("decline", "page", ("no_visit", "too_soon"))
    assert first.received_at == instant_text(came)
    assert held_json(first)["evidence"]["user_agent"] == "Bot/1"
    assert [line.plain for line in evidence_lines(first)] == ["  user_agent: Bot/1", "  notice: kind approved"]
    assert (second.channel, second.evidence) == ("mail", {"told": "a letter"})


def test_a_release_is_audited_first_and_told_with_when_the_answer_counts_from(stage: Stage) -> None:
    stage.doubtful("decline")
    (held,) = waiting(stage)
    became = judged(put(stage, held, Finding.RELEASED), 1)
    entry = check(AnswerChecked, stage.broker.records(Topic.AUDIT)[-1].value or b"")
    assert (entry.operator, entry.finding, entry.response_id, entry.note) == ("o-lind", "released", held.id, "Called.")
    assert check(Checked, stage.broker.records(Topic.CONSENT_RESPONSES)[-1].value or b"").response_id == held.id
    assert (became.verdict, became.counts_from, became.status) == ("declined", held.received_at, "rejected")
    assert "the customer's no counts from" in sentence(held, Finding.RELEASED, became)
    assert verdicts(stage) == ["declined"]
    assert waiting(stage) == []
    assert kinds(stage) == []


def test_after_a_dismissal_the_operator_is_led_to_a_new_notice(stage: Stage) -> None:
    stage.doubtful("decline")
    assert kinds(stage) == ["answer_held"]
    (held,) = waiting(stage)
    became = judged(put(stage, held, Finding.DISMISSED), 1)
    assert became.verdict == "dismissed"
    assert "is dismissed; nothing of it counts" in sentence(held, Finding.DISMISSED, became)
    assert (next_of(held, Finding.DISMISSED, others=0) or "").startswith("cpor ops resend-notice c")
    assert (verdicts(stage), kinds(stage)) == (["dismissed"], ["wait_suspended"])
    stage.resend()
    assert kinds(stage) == []
    assert stage.claim().status == Status.APPROVED


def test_of_several_one_has_to_be_named_and_the_task_stays_until_the_last_is_checked(stage: Stage) -> None:
    stage.doubtful("decline")
    stage.doubtful("agree")
    first, second = waiting(stage)
    with pytest.raises(WrongUse, match="several answers of this claim wait"):
        pick_held([first, second], None)
    assert pick_held([first, second], second.id[:8]) is second
    assert (next_of(first, Finding.DISMISSED, others=1) or "").startswith("cpor consent review c")
    put(stage, first, Finding.DISMISSED)
    assert kinds(stage) == ["answer_held"]
    put(stage, second, Finding.RELEASED, "22222222-2222-4222-8222-222222222222")
    assert kinds(stage) == []


def test_an_answer_that_no_longer_waits_cannot_be_picked(stage: Stage) -> None:
    with pytest.raises(Refused, match="no such answer"):
        pick_held([], None)
    answer = stage.doubtful("decline")
    (held,) = waiting(stage)
    stage.answers("decline")
    with pytest.raises(Refused, match="no such answer is being checked"):
        judged(put(stage, held, Finding.RELEASED), 1)
    assert held.id == answer


def test_a_dismissal_before_the_approval_asks_for_no_new_notice() -> None:
    stage = Stage()
    stage.file()
    stage.doubtful("decline")
    (held,) = waiting(stage)
    assert next_of(held, Finding.DISMISSED, others=0) is None


def test_an_answer_is_either_released_or_dismissed() -> None:
    assert asked_for(release=True, dismiss=False) is Finding.RELEASED
    assert asked_for(release=False, dismiss=True) is Finding.DISMISSED
    assert asked_for(release=False, dismiss=False) is None
    with pytest.raises(WrongUse):
        asked_for(release=True, dismiss=True)
