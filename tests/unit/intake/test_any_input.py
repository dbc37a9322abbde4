"""Whatever partners put on their topics, each record has exactly one answer."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from cpor.domain.vocabulary import PARTNER_COMMANDS, CommandName
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, receipts_topic
from schemas.inbox import INBOX_FROM_PARTNERS
from schemas.receipts import Receipt
from tests.unit.intake.harness import DIGEST, FILE, FORM, NOW, PARTNER, TENANT, TOPIC, Desk, header

TYPES = st.sampled_from([*PARTNER_COMMANDS, CommandName.REVIEW_APPROVE, "", "cpor.claim.create.v2"])
KEYS = st.one_of(st.none(), st.just(b"CLM-1"), st.binary(max_size=80))
IDS = st.one_of(st.sampled_from([b"m-1", b"m-2", b"", b"\xff"]), st.binary(max_size=70))
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLAUSIBLE = {
    "user": st.sampled_from(["u-anna", "u-bill", "u-uwe", "u-lena", "nobody"]),
    "text": st.text(max_size=30),
    "reason": st.sampled_from(["other", "wrong_role", "moved"]),
    "location_id": st.sampled_from(["4711001", "4711002", "1"]),
    "tenant_id": st.sampled_from([TENANT, TENANT.upper(), "00000000-0000-4000-8000-000000000000"]),
    "workloads": st.lists(st.sampled_from(["teams", "sales", "exchange"]), max_size=3),
    "documents": st.lists(st.just(FILE), max_size=3),
    "document_id": st.just(TENANT),
    "description": st.text(max_size=10),
    "customer_signed_on": st.dates().map(str) | st.none(),
    "filename": st.text(max_size=10),
    "content_type": st.sampled_from(["application/pdf", "text/plain"]),
    "size": st.integers(-5, 2**64),
    "sha256": st.just(DIGEST),
    "acknowledgements": st.lists(st.sampled_from(["information_is_accurate", "x"]), max_size=2),
    "partner_id": st.sampled_from([PARTNER, "P-2"]),
    "claim_ref": st.sampled_from(["CLM-1", "CLM-2"]),
}
BODIES = st.fixed_dictionaries({}, optional={name: each | JUNK for name, each in PLAUSIBLE.items()}).map(
    lambda given: json.dumps({"user": "u-anna", **FORM, **given}).encode()
)
VALUES = st.one_of(st.none(), st.binary(max_size=200), JUNK.map(lambda value: json.dumps(value).encode()), BODIES)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["ce_id", "ce_type", "traceparent", "content-type", "x"]), st.binary(max_size=20)),
    max_size=3,
)


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """A round of one partner's partition."""
    made = []
    for offset in range(draw(st.integers(1, 6))):
        told = [("ce_type", draw(TYPES).encode()), ("ce_id", draw(IDS)), *draw(HEADERS)]
        headers = tuple(draw(st.permutations(told)))
        made.append(Record(TOPIC, 0, offset, NOW, draw(KEYS), draw(VALUES), headers))
    return made


@settings(max_examples=300, deadline=None)
@given(records(), st.booleans())
def test_any_records_get_one_receipt_or_one_inbox_record_each_and_nothing_is_raised(
    round_: list[Record], claimed: bool
) -> None:
    desk = Desk()
    if claimed:
        desk.create(ce_id="start")
    outputs = desk.send_all(round_)
    assert len(outputs) == len(round_)
    for record, output in zip(round_, outputs, strict=True):
        assert output.value is not None
        if output.topic == Topic.CLAIM_COMMANDS:
            INBOX_FROM_PARTNERS[header(output, "ce_type")].model_validate_json(output.value)
            assert header(output, "cpor_origin") == record.origin
        else:
            assert (output.topic, output.key) == (receipts_topic(PARTNER), record.key)
            Receipt.model_validate_json(output.value)


@settings(max_examples=100, deadline=None)
@given(records(), st.integers(0, 5))
def test_answers_do_not_depend_on_how_records_fall_into_rounds(round_: list[Record], cut: int) -> None:
    whole, parts = Desk(), Desk()
    assert whole.send_all(round_) == parts.send_all(round_[:cut]) + parts.send_all(round_[cut:])
