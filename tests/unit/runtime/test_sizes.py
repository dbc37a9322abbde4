"""No record that the rules can make is too large for its topic: it would stop the worker at every start (P10)."""

from __future__ import annotations

from cpor.domain.policy import policy
from cpor.domain.vocabulary import Edition
from cpor.runtime.record import Output
from cpor.runtime.topics import MIB, Topic, commands_topic, largest_record, receipts_topic
from cpor.runtime.transport.kafka_common import too_large
from schemas.errors import MOST_ERRORS
from services.intake.message import LARGEST_MESSAGE

UTF8 = 4
#: What the pipeline adds to a partner's words: who, when, keys, digests, clocks.
OURS = 64 * 1024
DOCUMENTS = max(policy(each).documents.max_per_claim for each in Edition)
COMMENTS = max(policy(each).comments.newest_kept * policy(each).comments.max_length for each in Edition)


def test_a_claim_with_everything_it_may_have_fits_its_topic() -> None:
    form, documents = LARGEST_MESSAGE, DOCUMENTS * LARGEST_MESSAGE
    assert form + documents + COMMENTS * UTF8 + OURS <= largest_record(Topic.CLAIM_STATE)


def test_an_event_fits_with_what_was_and_what_is() -> None:
    assert largest_record(Topic.CLAIM_EVENTS) >= 2 * LARGEST_MESSAGE + OURS


def test_an_admitted_command_fits_the_inbox_and_any_command_fits_the_dead_letters() -> None:
    assert largest_record(Topic.CLAIM_COMMANDS) >= LARGEST_MESSAGE + OURS
    assert largest_record(commands_topic("P-1")) + OURS <= largest_record(Topic.DEAD_LETTERS)
    assert largest_record(commands_topic("P-1")) <= 8 * MIB


def test_a_receipt_with_all_its_errors_and_warnings_fits() -> None:
    assert largest_record(receipts_topic("P-1")) >= 2 * MOST_ERRORS * 1024 * UTF8 + OURS


def test_a_record_that_is_too_large_all_the_same_is_named_by_place_and_key() -> None:
    """It stops the worker, and somebody has to find it."""
    output = Output(Topic.CLAIM_STATE, 3, b"claim-1", b"x" * 90, [("ce_id", b"12345")])
    assert too_large(output, 102) is None
    assert too_large(output, 101) == "a record of 102 bytes is too large for cpor.claims.state-3, key b'claim-1'"
