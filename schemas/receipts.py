"""The one answer to each record of a partner (contract §3, Receipt)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field
from pydantic_core import to_json

from cpor.domain.vocabulary import Clock, Code, Outcome, Status, instant_text
from schemas.base import Message
from schemas.errors import LONGEST_FIELD, MOST_ERRORS
from schemas.fields import Moment, UuidText, WholeNumber

RECEIPT = "cpor.receipt.v1"


class FieldProblem(Message):
    """An entry of `errors` or `warnings`."""

    field: str = Field(max_length=LONGEST_FIELD)
    """Path such as `documents[2].sha256`; empty for the message as a whole."""
    code: Code
    detail: str


class Due(Message):
    """A clock that now runs; `due` is the first instant that is too late (D18)."""

    clock: Clock
    due: Moment


class Upload(Message):
    """A presigned POST: send `fields` and the file, as `file`, to `url` before `expires_at`."""

    url: str
    fields: dict[str, str]
    expires_at: Moment


class OriginalOutcome(StrEnum):
    """What became of the message that this one repeats."""

    ADMITTED = "admitted"
    REJECTED = "rejected"


class Original(Message):
    """`admitted`: its own receipt came or will come. `rejected`: with `code`."""

    outcome: OriginalOutcome
    code: Code | None = None


class Receipt(Message):
    """`cpor.receipt.v1`; its `ce_causationid` is `message_id`."""

    message_id: str = Field(max_length=300)
    """The message's `ce_id`; `topic-partition-offset` where it had no usable one."""
    claim_ref: str | None
    claim_id: UuidText | None
    outcome: Outcome
    code: Code
    detail: str
    errors: tuple[FieldProblem, ...] = Field(default=(), max_length=MOST_ERRORS)
    errors_omitted: WholeNumber = 0
    warnings: tuple[FieldProblem, ...] = ()
    status: Status | None = None
    """The claim's, after this message; null where no claim is, or where the answer needed no look at it."""
    due: tuple[Due, ...] = ()
    upload: Upload | None = None
    """On `cpor.poe.reserve.v1` only."""
    document_id: UuidText | None = None
    """With `upload`: the id by which `cpor.poe.attach.v1` names the file."""
    original: Original | None = None
    """On `duplicate` only."""
    received_at: Moment
    """When the broker took the message: what windows are judged by (D19)."""
    decided_at: Moment


def problem(field: str, code: Code, detail: str) -> dict[str, Any]:
    """An entry of `errors` or `warnings` for `receipt_value`."""
    return {"field": field, "code": code, "detail": detail}


def receipt_value(
    *,
    message_id: str,
    claim_ref: str | None,
    claim_id: str | None,
    outcome: Outcome,
    code: Code,
    detail: str,
    received_at: int,
    decided_at: int,
    status: Status | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    errors_omitted: int = 0,
    warnings: Sequence[Mapping[str, Any]] = (),
    due: Sequence[tuple[Clock, int]] = (),
    upload: Mapping[str, Any] | None = None,
    document_id: str | None = None,
    original: tuple[OriginalOutcome, Code | None] | None = None,
) -> bytes:
    """JSON of a `Receipt` without the detour over its model. Instants in ms since the epoch.

    Errors beyond 100 are cut and counted in `errors_omitted`.
    """
    # Plain text: the serializer takes ten times as long over an enum.
    value: dict[str, Any] = {
        "message_id": message_id,
        "claim_ref": claim_ref,
        "claim_id": claim_id,
        "outcome": outcome.value,
        "code": code.value,
        "detail": detail,
        "errors": errors[:MOST_ERRORS],
        "warnings": warnings,
        "status": None if status is None else status.value,
        "due": [{"clock": clock.value, "due": instant_text(at)} for clock, at in due],
        "received_at": instant_text(received_at),
        "decided_at": instant_text(decided_at),
    }
    omitted = errors_omitted + max(0, len(errors) - MOST_ERRORS)
    if omitted:
        value["errors_omitted"] = omitted
    if upload is not None:
        value["upload"] = upload
        value["document_id"] = document_id
    if original is not None:
        value["original"] = {"outcome": original[0], "code": original[1]}
    return to_json(value)
