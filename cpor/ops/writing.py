"""What operators write: checked before it leaves, and on `cpor.audit` before it is done (contract §1)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from cpor.domain.ids import derived_id
from cpor.domain.vocabulary import Instant, instant_text
from cpor.ops.errors import WrongUse
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from schemas import envelope
from schemas.audit import Audited
from schemas.base import Message, check
from schemas.errors import field_errors

#: What an entry of the audit has beside who and what: `note`, `file`. None where it was not given.
Why = Mapping[str, str | None]
NO_WHY: Why = MappingProxyType({})


def checked(model: type[Message], value: Mapping[str, Any]) -> bytes:
    """JSON as the contract has it. Raises WrongUse with every field that is not as it should be."""
    text = to_json(value)
    try:
        check(model, text)
    except ValidationError as fault:
        told = "; ".join(f"{each.field}: {each.detail}" for each in field_errors(fault).errors)
        raise WrongUse(told) from None
    return text


def audit_entry(
    ce_type: str, model: type[Audited], operator: str, cause: str, now: int, why: Why = NO_WHY, **told: Any
) -> Output:
    """The record of an entry about `told`; `cause`: the id of what the operator does. Raises WrongUse."""
    given = {field: text for field, text in why.items() if text}
    value = checked(model, {"operator": operator, "at": instant_text(now), **given, **told})
    return on_the_audit(ce_type, value, operator, cause, Instant(now), told.get("claim_id"))


def on_the_audit(ce_type: str, value: bytes, operator: str, cause: str, now: Instant, claim_id: str | None) -> Output:
    """As `audit_entry`, of a value that was checked; `claim_id` is None for what is about no claim."""
    source, record_id = f"/operators/{operator}", derived_id(cause, ce_type)
    made = envelope.headers(ce_type, record_id, source, now, claim_id, correlation=cause)
    return Output(Topic.AUDIT, 0, operator.encode(), value, made)


def file_name(path: Path) -> str:
    """As an entry names a file: without its folder."""
    return os.fsencode(path.name).decode("utf-8", "replace")
