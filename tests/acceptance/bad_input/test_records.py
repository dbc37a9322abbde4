"""Records that are wrong in themselves get one coded answer each: no crash, no silence (contract §2, §3, §9)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka import errors as client_errors

from cpor.domain.vocabulary import CommandName as C
from cpor.ops.partner_client import Sent
from cpor.runtime.topics import commands_topic
from tests.acceptance.bad_input.statuses import Editions
from tests.acceptance.bad_input.world import (
    ONE,
    SUSPENDED,
    TWO,
    UNKNOWN,
    Claim,
    Headers,
    World,
    codes,
    headers,
)
from tests.chaos.material import ADMIN, BILLING, ELSEWHERE, READER, as_json, form, tenant

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

HELLO = as_json({"user": ADMIN, "text": "Hello"})
#: Stand-ins: the shared draft's reference, and an id that was never used.
DRAFT, FRESH = b"<draft>", "<fresh>"


@dataclass(frozen=True, slots=True)
class Bad:
    """A record and the code of its one receipt; where nothing else is said, a good comment on the shared draft."""

    name: str
    code: str
    value: bytes | None = HELLO
    type: str | bytes | None = C.COMMENT
    id: str | bytes | None = FRESH
    key: bytes | None = DRAFT
    partner: str = ONE
    more: tuple[tuple[str, bytes], ...] = ()

    def told(self, world: World) -> Headers:
        return headers(self.type, world.fresh_id() if self.id == FRESH else self.id, *self.more)


def says(**data: Any) -> bytes:
    return as_json({"user": ADMIN, "text": "Hello", **data})


def creates(**changes: Any) -> bytes:
    return as_json(form(tenant(0), **changes))


EDIT_NAME = as_json({"user": ADMIN, "claim_name": "Other"})
NOWHERE = b"never-made"


def beginning(name: str, code: str, value: bytes) -> Bad:
    """A bad create, under a reference that stays without a claim."""
    return Bad(name, code, value, C.CREATE, key=NOWHERE)


# fmt: off
RECORDS: tuple[Bad, ...] = (
    # The value is no JSON, or no object of the right shape.
    Bad("not JSON",                         "malformed_json",     b"{oops"),
    Bad("an empty value",                   "malformed_json",     b""),
    Bad("no value at all",                  "malformed_json",     None),
    Bad("half of a message",                "malformed_json",     HELLO[:-5]),
    Bad("not UTF-8",                        "malformed_json",     b'{"user": "\xff\xfe"}'),
    Bad("zeros",                            "malformed_json",     bytes(1000)),
    Bad("NaN",                              "malformed_json",     b'{"user": "u-anna", "text": "x", "n": NaN}'),
    Bad("100,000 brackets deep",            "malformed_json",     b"[" * 100_000 + b"]" * 100_000),
    Bad("100,000 brackets never closed",    "malformed_json",     b"[" * 100_000),
    Bad("objects 20,000 deep",              "malformed_json",     b'{"user":' * 20_000 + b"1" + b"}" * 20_000),
    Bad("a list",                           "invalid_fields",     b"[]"),
    Bad("a number",                         "invalid_fields",     b"17"),
    Bad("null",                             "invalid_fields",     b"null"),
    Bad("no field that is needed",          "invalid_fields",     b"{}"),
    Bad("a number for a text",              "invalid_fields",     says(text=17)),
    Bad("a text of 4,001 letters",          "invalid_fields",     says(text="x" * 4_001)),
    Bad("a text of blanks",                 "invalid_fields",     says(text=" \n ")),
    beginning("half a form",                    "invalid_fields",        as_json({"user": ADMIN})),
    Bad("a number beyond all bounds",       "malformed_json",     b'{"user": 1' + b"0" * 5_000 + b"}"),
    # Its type.
    Bad("an unknown type",                  "unknown_type",       type="cpor.claim.explode.v1"),
    Bad("an unknown version",               "unknown_type",       type="cpor.claim.comment.v2"),
    Bad("no type",                          "unknown_type",       type=None),
    Bad("a type that is no text",           "unknown_type",       type=b"\xff\xfe"),
    Bad("a reviewer's command",             "unknown_type",       type=C.REVIEW_APPROVE),
    Bad("a service's command",              "unknown_type",       type=C.PARK),
    # Its id.
    Bad("no ce_id",                         "missing_message_id", id=None),
    Bad("an empty ce_id",                   "missing_message_id", id=""),
    Bad("a ce_id of 65 letters",            "missing_message_id", id="x" * 65),
    Bad("a ce_id with a blank",             "missing_message_id", id="a b"),
    Bad("a ce_id that ends its line",       "missing_message_id", id="abc\n"),
    Bad("a ce_id that is no text",          "missing_message_id", id=b"\xc3\x28"),
    # Its size.
    Bad("a value of 5 MB",                  "message_too_large",  says(text="x" * 5_000_000)),
    Bad("one byte over 256 KiB",            "message_too_large",  b" " * (256 * 1024 + 1 - len(HELLO)) + HELLO),
    # Its key.
    Bad("no key",                           "wrong_key",          key=None),
    Bad("an empty key",                     "wrong_key",          key=b""),
    Bad("a key of 65 letters",              "wrong_key",          key=b"x" * 65),
    Bad("a key of 100 KB",                  "wrong_key",          key=b"x" * 100_000),
    Bad("a key with a slash",               "wrong_key",          key=b"a/b"),
    Bad("a key that is no text",            "wrong_key",          key=b"\xff\x00"),
    Bad("another claim in the body",        "wrong_key",          says(claim_ref="another")),
    # Who says it, about what.
    Bad("another partner in the body",      "partner_mismatch",   says(partner_id=TWO)),
    Bad("a partner nobody knows",           "partner_unknown",    partner=UNKNOWN),
    Bad("a suspended partner",              "partner_suspended",  partner=SUSPENDED),
    Bad("an unknown user",                  "user_unknown",       says(user="u-nobody")),
    Bad("a user who may only read",         "not_permitted",      says(user=READER)),
    Bad("a billing admin on a draft",       "not_permitted",      says(user=BILLING)),
    Bad("a user of another location",       "not_permitted",      says(user=ELSEWHERE)),
    beginning("another location's user creates","not_permitted",         creates(user=ELSEWHERE)),
    Bad("another partner's claim",          "claim_unknown",      partner=TWO),
    Bad("a comment on no claim",            "claim_unknown",      key=NOWHERE),
    Bad("an edit of no claim",              "claim_unknown",      EDIT_NAME, C.EDIT, key=NOWHERE),
    Bad("a reference of another customer",  "reference_bound",    creates(), C.CREATE),
    beginning("an unknown location",            "location_unknown",      creates(location_id="1")),
    beginning("a role of the other area",       "role_not_in_area",      creates(partner_role="usage_recognition")),
    beginning("a workload nobody knows",        "workload_not_in_area",  creates(workloads=["paint"])),
    beginning("a co-op engagement",             "not_a_cpor_engagement", creates(engagement="CSP")),
    Bad("a document never reserved",        "document_unknown",
        as_json({"user": ADMIN, "document_id": str(tenant(0)), "description": "x"}), C.POE_ATTACH),
    # Times that nobody believes: they decide nothing, or are refused as fields (D19).
    Bad("sent in the year 9999",            "accepted",           more=(("ce_time", b"9999-12-31T23:59:59Z"),)),
    Bad("sent before time began",           "accepted",           more=(("ce_time", b"-0001-13-45T99:99:99"),)),
    Bad("received when it likes",           "accepted",           more=(("cpor_received_at", b"1970-01-01"),)),
    Bad("a comment dated in its body",      "accepted",           says(at="9999-12-31T23:59:59Z", received_at=-1)),
)
# fmt: on


@pytest.mark.parametrize("bad", RECORDS, ids=lambda bad: bad.name)
def test_a_bad_record_gets_its_code(world: World, draft: Claim, bad: Bad) -> None:
    key = draft.ref.encode() if bad.key == DRAFT else bad.key
    receipt = world.answer(world.post(bad.value, bad.told(world), key=key, partner=bad.partner))
    assert bad.code in codes(receipt), receipt.value
    assert receipt.outcome == ("accepted" if bad.code == "accepted" else "rejected")


def test_the_same_message_again_is_a_duplicate_and_with_other_content_a_conflict(world: World, draft: Claim) -> None:
    told, key = headers(C.COMMENT, world.fresh_id()), draft.ref.encode()
    sent = [world.post(value, told, key=key) for value in (HELLO, HELLO, says(text="Other words"), HELLO)]
    assert [each.code for each in world.answers(sent)] == ["accepted", "duplicate", "conflicting_message", "duplicate"]


@pytest.mark.parametrize("name", sorted(each for each in C if each.value.startswith(("cpor.claim.", "cpor.poe."))))
def test_no_command_can_be_given_without_its_fields(world: World, claims: Editions, name: C) -> None:
    receipt = world.answer(world.post(b'{"user": {}}', headers(name, world.fresh_id()), key=NOWHERE))
    assert receipt.code in ("invalid_fields", "unknown_type")


# --- Compressed batches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_compressed_batch_is_answered_record_by_record(world: World, draft: Claim, codec: str) -> None:
    values = [HELLO, b"{oops", says(user=READER), says(text=codec * 500)]
    sent = sent_compressed(world, draft, codec, values)
    assert [each.code for each in world.answers(sent)] == ["accepted", "malformed_json", "not_permitted", "accepted"]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_batch_that_unpacks_to_more_than_the_topic_takes_is_refused_to_its_sender(
    world: World, draft: Claim, codec: str
) -> None:
    with pytest.raises(client_errors.KafkaError):
        sent_compressed(world, draft, codec, [says(text="x" * 20_000_000)])
    assert draft.say(C.COMMENT, text="Still there").outcome == "accepted"


@pytest.mark.parametrize("stamp", [0, 1, 253_402_300_799_000, 2**62], ids=str)
def test_the_time_a_sender_stamps_on_a_record_means_nothing(world: World, draft: Claim, stamp: int) -> None:
    (sent,) = sent_compressed(world, draft, None, [HELLO], timestamp_ms=stamp)
    receipt = world.answer(sent)
    assert receipt.code == "accepted"
    assert receipt.value["received_at"][:4] == "2023"


def sent_compressed(world: World, claim: Claim, codec: str | None, values: list[bytes], **options: Any) -> list[Sent]:
    """All in one batch, as a partner's own client sends them."""
    producer = KafkaProducer(
        bootstrap_servers=world.running.instance.endpoints.kafka_bootstrap,
        compression_type=codec,
        linger_ms=200,
        batch_size=64 * 1024 * 1024,
        max_request_size=64 * 1024 * 1024,
    )
    topic, key = commands_topic(ONE), claim.ref.encode()
    place = world.place(key)
    try:
        told = (headers(C.COMMENT, world.fresh_id()) for _ in values)
        send = partial(producer.send, topic, key=key, partition=place, **options)
        futures = [send(value=value, headers=each) for value, each in zip(values, told, strict=True)]
        offsets = [future.get(timeout=30).offset for future in futures]
    finally:
        producer.close(timeout=5)
    return [world.know(Sent(None, topic, place, offset)) for offset in offsets]


def test_afterwards_the_workers_still_run_and_every_record_has_exactly_one_receipt(world: World) -> None:
    world.assert_sound()
