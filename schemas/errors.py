"""What a sender is told about a value of the wrong shape: field, code and one plain sentence for each (contract §3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cpor.domain.vocabulary import Code
from schemas.fields import MEANINGS

#: A receipt names at most this many errors.
MOST_ERRORS = 100
#: No answer repeats more of what was sent.
LONGEST_ECHO = 64
LONGEST_FIELD = 200


@dataclass(frozen=True, slots=True)
class ShapeError:
    """One entry of `errors[]`; `field` is a path such as `documents[2].sha256`, empty for the whole value."""

    field: str
    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class FieldErrors:
    """At most 100 errors and the number of those left out; `malformed` says why the value is not JSON at all."""

    errors: tuple[ShapeError, ...] = ()
    omitted: int = 0
    malformed: str | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The fields of the message that they are about, or lie in."""
        return frozenset(top(each.field) for each in self.errors)

    @property
    def summary(self) -> str:
        total = len(self.errors) + self.omitted
        return "One field is not as it should be." if total == 1 else f"{total} fields are not as they should be."


NO_ERRORS = FieldErrors()
_NO_CODES: Mapping[str, Code] = {}
_OWN_CODES = frozenset(code.value for code in Code)

_SENTENCES: Mapping[str, str] = {
    "missing": "This field is needed.",
    "model_type": "A JSON object is needed here.",
    "model_attributes_type": "A JSON object is needed here.",
    "tuple_type": "A list is needed here.",
    "list_type": "A list is needed here.",
    "string_type": "Text is needed here.",
    "bool_type": "true or false is needed here.",
    "int_type": "A whole number is needed here.",
    "date_type": "A date such as 2024-03-01 is needed here.",
    "date_parsing": "A date such as 2024-03-01 is needed here.",
    "date_from_datetime_parsing": "A date such as 2024-03-01 is needed here.",
    "date_from_datetime_inexact": "A date such as 2024-03-01 is needed here.",
    "extra_forbidden": "This field is not known.",
    "named_twice": "Each entry may be named once only.",
}


def field_errors(error: ValidationError, codes_of_missing: Mapping[str, Code] = _NO_CODES) -> FieldErrors:
    """A validation error as a receipt tells it.

    `codes_of_missing`: fields whose absence, or blank value, has a code of its own.
    """
    found = error.errors(include_url=False)
    if found[0]["type"] == "json_invalid":
        return FieldErrors(malformed=_malformed(found[0]))
    told = tuple(_told(each, codes_of_missing) for each in found[:MOST_ERRORS])
    return FieldErrors(told, omitted=max(0, len(found) - MOST_ERRORS))


def _malformed(problem: Any) -> str:
    """The parser's reason and place; it echoes no input."""
    reason = str(problem.get("ctx", {}).get("error", "it cannot be read"))
    return f"The value is not JSON: {reason[:120]}."


def _told(problem: Any, codes_of_missing: Mapping[str, Code]) -> ShapeError:
    field = path(problem["loc"])
    kind = problem["type"]
    if kind in _OWN_CODES:
        return ShapeError(field, Code(kind), problem["msg"])
    code = Code.INVALID_FIELDS
    if kind == "missing" or _is_blank(problem["input"]):
        code = codes_of_missing.get(field, code)
    return ShapeError(field, code, _sentence(kind, problem.get("ctx", {})) + _echo(kind, problem["input"]))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _sentence(kind: str, context: Mapping[str, Any]) -> str:
    known = _SENTENCES.get(kind)
    if known is not None:
        return known
    match kind:
        case "string_pattern_mismatch":
            return f"It must be {MEANINGS.get(context['pattern'], 'of another form')}."
        case "string_too_long" | "too_long":
            return f"It may have at most {context['max_length']} {_unit(kind)}."
        case "string_too_short" | "too_short":
            return f"It must have at least {context['min_length']} {_unit(kind)}."
        case "enum" | "literal_error":
            return f"It must be one of: {context['expected']}."
        case "greater_than_equal":
            return f"It must be {context['ge']} or more."
        case "less_than_equal":
            return f"It may be {context['le']} at most."
    return "It is not of the form this field has."


def _unit(kind: str) -> str:
    return "characters" if kind.startswith("string") else "entries"


def _echo(kind: str, value: object) -> str:
    """What was sent, shortened; a container or what is missing is not repeated."""
    if kind == "missing" or isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = value if isinstance(value, str) else _number(value)
    kept = "".join(c if c.isprintable() else "?" for c in text[:LONGEST_ECHO])
    return f" Sent: '{kept}{'…' if len(text) > LONGEST_ECHO else ''}'."


def _number(value: int | float) -> str:
    """A number as text; one with thousands of digits is not written out."""
    if isinstance(value, int) and abs(value) >= 10**LONGEST_ECHO:
        return "a very large number"
    return str(value)


def path(location: tuple[int | str, ...]) -> str:
    """`("documents", 2, "sha256")` as `documents[2].sha256`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text[:LONGEST_FIELD]


def top(field: str) -> str:
    """The field of the message that a path such as `documents[2].sha256` begins with."""
    return re.split(r"[.\[]", field, maxsplit=1)[0]


def has_number_out_of_json(value: bytes) -> bool:
    """Whether a value that was parsed holds NaN or Infinity, which the parser takes and JSON (RFC 8259) does not."""
    if b"NaN" not in value and b"Infinity" not in value:
        return False
    try:
        json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return True
    return False


def _refuse(constant: str) -> None:
    raise ValueError(constant)
