"""Under which code several errors are answered together (contract §3)."""

from __future__ import annotations

import pytest

from cpor.domain.refusal import FieldError
from cpor.domain.result import refused_for
from cpor.domain.vocabulary import Code

UNKNOWN, EXACT = Code.LOCATION_UNKNOWN, Code.ROLE_NOT_IN_AREA


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([("a", UNKNOWN)], UNKNOWN),
        ([("a", UNKNOWN), ("b", UNKNOWN)], UNKNOWN),
        ([("a", UNKNOWN), ("a", EXACT)], UNKNOWN),
        ([("a", UNKNOWN), ("b", EXACT)], Code.INVALID_FIELDS),
    ],
)
def test_errors_of_one_code_or_one_field_go_under_the_first_and_others_under_a_common_one(
    errors: list[tuple[str, Code]], code: Code
) -> None:
    no = refused_for([FieldError(field, each, "So it is.") for field, each in errors])
    assert (no.code, len(no.errors)) == (code, len(errors))


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [("must not be blank.", "text must not be blank."), ("The file is empty.",) * 2, ("'x' is no domain name.",) * 2],
)
def test_the_answer_to_one_error_is_a_whole_sentence(detail: str, sentence: str) -> None:
    assert refused_for([FieldError("text", UNKNOWN, detail)]).detail == sentence
