"""What goes on with a message, and what becomes of one that cannot be understood: dead letters, held claims."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import CommandName, Instant, Status, TenantId
from cpor.runtime.errors import Stop
from cpor.runtime.topics import Topic
from schemas.envelope import Header, headers, read_envelope
from services.review import worker
from tests.unit.review.pipeline import (
    OTHER_TENANT,
    TENANT,
    N,
    Pipeline,
    of,
    usage_form,
)

C = CommandName


def told(claim: str, name: str = C.REVIEW_START, message_id: str = "t-1") -> list[Header]:
    return headers(name, message_id, "/reviewers/r-1", Instant(0), claim)


def said(claim: str, **data: Any) -> bytes:
    return json.dumps({"claim_id": claim, "actor": {"kind": "reviewer", "id": "r-1"}, **data}).encode()


# -- what goes on with a message --------------------------------------------------------------------------------------


def test_an_event_names_its_cause_and_the_message_behind_it(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    inbox = pipeline.broker.records(Topic.CLAIM_COMMANDS)[-1]
    cause, event = read_envelope(inbox.headers), read_envelope(pipeline.event_records()[-1].headers)
    assert (event.causation, event.correlation) == (cause.id, pipeline.admitted[-1][2])
    assert (event.origin, event.received_at_text) == (cause.origin, cause.received_at_text)


def test_the_trace_of_a_message_is_passed_on_to_everything_it_brings_about(pipeline: Pipeline) -> None:
    pipeline.file()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    pipeline.append(said(of("c")), [*told(of("c")), ("traceparent", trace.encode())])
    pipeline.run()
    assert read_envelope(pipeline.event_records()[-1].headers).traceparent == trace


def test_a_malformed_trace_is_dropped_and_the_command_is_decided(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(said(of("c")), [*told(of("c")), ("traceparent", b"\xff")])
    pipeline.run()
    assert pipeline.claim().status == Status.UNDER_REVIEW
    assert read_envelope(pipeline.event_records()[-1].headers).traceparent is None


def test_a_field_of_a_newer_sender_is_ignored(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(said(of("c"), priority="high"), told(of("c")))
    pipeline.run()
    assert pipeline.claim().status == Status.UNDER_REVIEW


# -- what cannot be understood ----------------------------------------------------------------------------------------


def reason_of(pipeline: Pipeline) -> str | None:
    (letter,) = pipeline.letters()
    return dict(letter.headers)["dlq_reason"].decode()


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        said("another"),
        json.dumps({"claim_id": of("c")}).encode(),
        json.dumps({"claim_id": of("c"), "actor": {"kind": "ghost", "id": "x"}}).encode(),
        said(of("c"), expected_sequence="one"),
    ],
)
def test_a_value_that_is_no_command_is_a_dead_letter(pipeline: Pipeline, value: bytes | None) -> None:
    pipeline.append(value, told(of("c")))
    pipeline.run()
    assert reason_of(pipeline) == "malformed_command"
    assert pipeline.event_records() == []


def test_a_partner_command_that_does_not_say_who_asks_is_a_dead_letter(pipeline: Pipeline) -> None:
    pipeline.append(json.dumps({"claim_id": of("c"), "text": "x"}).encode(), told(of("c"), C.COMMENT))
    pipeline.run()
    assert reason_of(pipeline) == "malformed_command"


@pytest.mark.parametrize("name", ["cpor.claim.create.v2", "cpor.claim.drafted.v1", ""])
def test_a_type_that_is_no_command_is_a_dead_letter(pipeline: Pipeline, name: str) -> None:
    pipeline.append(said(of("c")), told(of("c"), name))
    pipeline.run()
    assert reason_of(pipeline) == "unknown_type"


@pytest.mark.parametrize("missing", ["ce_id", "ce_subject"])
def test_a_command_without_id_or_subject_is_a_dead_letter(pipeline: Pipeline, missing: str) -> None:
    pipeline.append(said(of("c")), [each for each in told(of("c")) if each[0] != missing])
    pipeline.run()
    assert reason_of(pipeline) == "malformed_command"


def test_a_command_in_another_partition_than_its_tenants_is_a_dead_letter(pipeline: Pipeline) -> None:
    pipeline.append(said(of("c")), told(of("c")), partition=(ids.tenant_partition(TENANT, N) + 1) % N)
    pipeline.run()
    assert reason_of(pipeline) == "wrong_partition"


def test_a_command_keyed_by_another_tenant_than_the_claims_is_a_dead_letter(pipeline: Pipeline) -> None:
    pipeline.file()
    wrong = next(f"{n:08x}-0000-4000-8000-000000000000" for n in range(99) if _same_partition(n))
    pipeline.append(said(of("c")), told(of("c")), tenant=wrong)
    pipeline.run()
    assert reason_of(pipeline) == "wrong_key"
    assert pipeline.review("c", C.REVIEW_START) != []  # the claim itself is not held up by it


def _same_partition(n: int) -> bool:
    tenant = TenantId(f"{n:08x}-0000-4000-8000-000000000000")
    return ids.tenant_partition(tenant, N) == ids.tenant_partition(TENANT, N)


def test_a_tenant_in_capital_letters_is_a_dead_letter(pipeline: Pipeline) -> None:
    tenant = OTHER_TENANT.upper()
    pipeline.append(said(of("c")), told(of("c")), tenant, ids.tenant_partition(TenantId(tenant), N))
    pipeline.run()
    assert reason_of(pipeline) == "wrong_key"


def test_a_letter_never_repeats_what_a_person_wrote(pipeline: Pipeline) -> None:
    pipeline.file()
    value = said(of("c"), reasons="Kana Ito said so", comment="x")
    pipeline.append(value, told(of("c"), C.REVIEW_REJECT))
    pipeline.run()
    (letter,) = pipeline.letters()
    assert b"Kana" not in dict(letter.headers)["dlq_detail"]


def test_a_letter_of_a_known_claim_parks_it_and_later_commands_wait_behind(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(b"{", told(of("c")))
    pipeline.run()
    assert pipeline.claim().parked
    assert pipeline.review("c", C.REVIEW_START) == []
    assert [dict(each.headers)["dlq_reason"] for each in pipeline.letters()] == [b"malformed_command", b"parked_behind"]


def test_a_letter_of_one_claim_holds_up_no_other_claim_of_the_tenant(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(b"{", told(of("c")))
    pipeline.run()
    assert pipeline.file("d", number=2, form=usage_form("exchange")).outcome == "accepted"


def test_a_time_out_of_a_claim_that_intake_parked_is_held_with_the_letters(pipeline: Pipeline) -> None:
    clock = pipeline.asked().clocks[0]
    pipeline.inside("c", C.PARK, letter_id="letter-1")
    pipeline.pass_days(30)
    pipeline.inside("c", C.DEADLINE_EXPIRED, clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert pipeline.claim().status == Status.PARTNER_ACTION_REQUIRED
    assert reason_of(pipeline) == "held_while_parked"
    (event,) = pipeline.inside("c", C.UNPARK, letter_id="letter-1")
    assert event.NAME == "unparked"
    late = pipeline.inside("c", C.DEADLINE_EXPIRED, clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert [each.NAME for each in late] == ["rejected"]


def test_a_fault_in_the_rules_stops_the_worker_instead_of_being_passed_over(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(worker, "decide", broken)  # a bug in `decide` can be made in no other way
        pipeline.append(said(of("c")), told(of("c")))
        with pytest.raises(Stop):
            pipeline.run()
    assert pipeline.letters() == []


# -- the store is a cache ---------------------------------------------------------------------------------------------


def test_a_worker_with_an_empty_store_goes_on_from_the_topics(pipeline: Pipeline) -> None:
    pipeline.approved("c", "P-1", usage_form("teams", "intune"))
    pipeline.engines = type(pipeline.engines)()
    pipeline.worker = pipeline.fresh_worker()
    pipeline.approved("d", "P-2", usage_form("teams"), number=2, displaces=[of("c")])
    assert pipeline.associations()[f"{TENANT}/workload/teams"]["partner_id"] == "P-2"
