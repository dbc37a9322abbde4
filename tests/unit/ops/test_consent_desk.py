"""An operator puts a customer's answer on record and reads where the consent stands (D4, D9, D19, D20)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cpor.domain.vocabulary import Instant, instant_text, parse_instant
from cpor.ops.answers import Became, Taken, check_operator, judged, records
from cpor.ops.consent import Way, became_json, instant_of, sentence, standing_json, taken
from cpor.ops.errors import NotReachable, Refused, WrongUse
from cpor.ops.standing import TOPICS, Standing, standing_of, summary
from cpor.runtime.clock import ManualClock
from cpor.runtime.topics import Topic
from schemas.audit import AnswerRecorded
from schemas.base import check
from schemas.consent import Answer, AnswerChannel
from tests.unit.consent.stage import GRACE, PARTITION, Stage
from tests.unit.ops.answering import MESSAGE, became_of
from tests.unit.review.pipeline import TENANT, of

IN_2020 = parse_instant("2023-03-06T08:00:00Z")
NO = Taken(Answer.DECLINE, AnswerChannel.PHONE, "o-lind", note="Called back.")
YES = replace(NO, answer=Answer.AGREE)


def put(stage: Stage, said: Taken, message_id: str = MESSAGE) -> Became:
    """As `cpor consent` writes it; what it hears."""
    outputs = records(of("c"), TENANT, said, message_id, stage.clock.now(), PARTITION)
    return became_of(stage, outputs, message_id)


def standing(stage: Stage) -> Standing:
    return standing_of([each for topic in TOPICS for each in stage.broker.records(topic)], of("c"))


# -- an answer on record -----------------------------------------------------------------------------------------------


def test_a_no_ends_the_approval_and_the_operator_hears_of_both() -> None:
    stage = Stage()
    stage.waiting()
    before = stage.claim()
    became = judged(put(stage, NO), 1)
    assert became_json(became) == {
        "outcome": "declined",
        "counts_from": became.counts_from,
        "event": "rejected",
        "sequence": before.sequence + 1,
        "status": "rejected",
    }
    told = sentence(before, NO, became)
    assert re.fullmatch(r"c: the customer's no counts from [-0-9: ]+ UTC; the claim is now rejected \(event \d\)", told)


def test_a_yes_is_told_though_the_claim_stays_as_it_is() -> None:
    stage = Stage()
    stage.waiting()
    before = stage.claim()
    became = judged(put(stage, YES), 1)
    assert (became.verdict, became.event, became.status) == ("agreed", "consent_answered", "approved")
    assert "still approved" in sentence(before, YES, became)


def test_an_early_no_of_2020_is_told_to_take_effect_with_the_approval() -> None:
    stage = Stage(clock=ManualClock(IN_2020))
    stage.submitted_2020()
    before = stage.claim()
    became = judged(put(stage, NO), 1)
    assert "still submitted: the no takes effect with its approval" in sentence(before, NO, became)
    assert "takes effect when the claim is approved" in summary(stage.claim())


def test_an_answer_that_changes_nothing_is_refused_with_consents_reason() -> None:
    stage = Stage()
    stage.waiting()
    put(stage, NO)
    again = put(stage, NO, "22222222-2222-4222-8222-222222222222")
    with pytest.raises(Refused, match="changes nothing: the customer has declined before"):
        judged(again, 1)


def test_an_answer_counts_from_when_the_operator_says_it_came() -> None:
    stage = Stage()
    due = stage.waiting()
    came = due - 86_400_000
    stage.pass_to(due - 1_000)
    became = put(stage, replace(NO, answered_at=came))
    assert became.counts_from == instant_text(Instant(came))


def test_silence_of_the_services_is_not_taken_for_an_outcome() -> None:
    with pytest.raises(NotReachable, match="consent did not judge it within 30 s"):
        judged(Became(), 30)
    with pytest.raises(NotReachable, match="on record as declined, but nothing came of it on the claim"):
        judged(Became("declined", "2026-03-02T08:00:00.000Z"), 30)


def test_every_answer_by_an_operators_word_is_audited_first_with_the_id_of_its_record() -> None:
    stage = Stage()
    stage.waiting()
    said = replace(NO, answered_at=stage.clock.now())
    audited, answer = records(of("c"), TENANT, said, MESSAGE, stage.clock.now(), PARTITION)
    assert (audited.topic, audited.key, answer.topic) == (Topic.AUDIT, b"o-lind", Topic.CONSENT_RESPONSES)
    entry = check(AnswerRecorded, audited.value or b"")
    assert (entry.operator, entry.response_id, entry.note) == ("o-lind", MESSAGE, "Called back.")
    assert entry.answered_at == said.answered_at
    assert ("ce_id", MESSAGE.encode()) in answer.headers
    assert {dict(each.headers)["ce_source"] for each in (audited, answer)} == {b"/operators/o-lind"}


def test_what_no_record_could_hold_is_a_wrong_use() -> None:
    stage = Stage()
    stage.file()
    with pytest.raises(WrongUse, match="note"):
        records(of("c"), TENANT, replace(NO, note="x" * 4_001), MESSAGE, 0, PARTITION)
    for name in ("two words", "", "x" * 65, "a/b"):
        with pytest.raises(WrongUse, match="--as"):
            check_operator(name)
    for text in ("2026-03-10", "soon", "2026-03-10T09:00:00"):
        with pytest.raises(WrongUse, match="--answered-at"):
            instant_of(text)
    assert taken(Answer.AGREE, None, "2026-03-10T09:00:00+01:00", Way.MAIL, "o-1").channel is AnswerChannel.MAIL


# -- where it stands ---------------------------------------------------------------------------------------------------


def test_notices_are_told_with_what_became_of_them() -> None:
    stage = Stage()
    stage.waiting(delivered=False)
    assert [(each.notice, each.delivery) for each in standing(stage).notices] == [
        ("submitted", "on_its_way"),
        ("approved", "on_its_way"),
    ]
    stage.arrives()
    stage.arrives()
    notice = standing(stage).notices[-1]
    assert (notice.delivery, notice.approval) == ("delivered", stage.claim().approval.sequence)  # type: ignore[union-attr]
    assert notice.delivered_at is not None
    assert notice.mail_id is not None


def test_a_bounced_notice_is_told_with_the_servers_answer_and_the_wait_as_standing_still() -> None:
    stage = Stage()
    stage.waiting(delivered=False)
    stage.bounces()
    notice = standing(stage).notices[-1]
    assert (notice.delivery, notice.reply) == ("bounced", "550 no such user")
    assert "stands still: the notice of the approval bounced" in summary(stage.claim())


def test_a_notice_that_comes_back_after_its_delivery_is_told_as_bounced_whatever_is_told_again() -> None:
    stage = Stage()
    stage.waiting()
    stage.bounces()
    stage.arrives()
    notice = standing(stage).notices[-1]
    assert (notice.delivery, notice.reply, notice.delivered_at) == ("bounced", "550 no such user", None)
    assert "stands still: the notice of the approval bounced" in summary(stage.claim())


def test_answers_are_told_with_who_took_them_and_what_became_of_each() -> None:
    stage = Stage()
    stage.waiting()
    stage.answers("agree", "phone", operator=None)
    put(stage, YES)
    put(stage, NO, "22222222-2222-4222-8222-222222222222")
    put(stage, NO, "33333333-3333-4333-8333-333333333333")
    found = standing(stage).answers
    assert [(each.operator, each.answer, each.verdict) for each in found] == [
        (None, "agree", "held"),
        ("o-lind", "agree", "agreed"),
        ("o-lind", "decline", "declined"),
        ("o-lind", "decline", "ignored"),
    ]
    assert found[-1].reason == "the customer has declined before"
    assert found[1].note == "Called back."
    assert standing_json(stage.claim(), standing(stage))["status"] == "rejected"


def test_two_answers_under_one_id_each_have_their_own_verdict() -> None:
    stage = Stage()
    stage.waiting()
    put(stage, YES)
    put(stage, NO)
    assert [each.verdict for each in standing(stage).answers] == ["agreed", "declined"]


def test_what_is_not_json_is_no_answer() -> None:
    stage = Stage()
    stage.waiting()
    answer = records(of("c"), TENANT, NO, MESSAGE, 0, PARTITION)[1]
    for value in (b"nope", b"[]"):
        stage.broker.append(answer._replace(value=value))
    assert standing(stage).answers == ()


def test_each_stage_of_the_consent_has_its_sentence() -> None:
    stage = Stage()
    stage.file()
    assert summary(stage.claim()) == "No consent is awaited: the claim is submitted."
    stage.approves()
    stage.arrives()
    assert "silence until then is consent" in summary(stage.claim())
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert re.search(r"official since .* The customer may still decline\.", summary(stage.claim()))
    put(stage, NO)
    assert summary(stage.claim()) == "The customer has declined; the claim is rejected."
