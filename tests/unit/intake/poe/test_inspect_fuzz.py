from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.poe.verdict import Accepted, Inspection, Refused
from tests.unit.intake.poe.documents import DOCX, JPEG, PDF, PNG, good, judge

TYPES = [PDF, DOCX, PNG, JPEG]
#: What formats are made of: found whole in mutations far more often than chance would have it.
TOKENS = [
    b"endobj", b"stream", b"/Kids [2 0 R]", b"/Prev 9", b"xref", b"trailer", b"%%EOF", b"<<", b"[", b"PK\x01\x02",
    b"PK\x05\x06", b"IHDR", b"IDAT", b"IEND", b"\xff\xd8", b"\xff\xda", b"\xff\xff\xff\xff", bytes(8),
]  # fmt: skip
fuzzed = settings(
    max_examples=60,
    deadline=timedelta(seconds=5),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def check_is_a_verdict(verdict: Inspection) -> None:
    """Accepted, or refused with plain sentences: nothing else can come out."""
    assert isinstance(verdict, Accepted | Refused)
    for problem in verdict.problems if isinstance(verdict, Refused) else ():
        assert problem.detail.endswith(".")
        assert problem.detail.isprintable()
        assert len(problem.detail) < 250


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Places (as a share of the document), how many bytes go there, and what comes instead."""
    piece = st.one_of(st.binary(max_size=12), st.sampled_from(TOKENS))
    return draw(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 300), piece), min_size=1, max_size=8))


def mutated(document: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for share, removed, put in changes:
        at = int(share * len(document))
        document = document[:at] + put + document[at + removed :]
    return document


@pytest.mark.parametrize("mime", TYPES)
@given(changes=mutations())
@fuzzed
def test_a_document_changed_in_any_places_gets_a_verdict_and_never_a_crash(
    mime: str, changes: list[tuple[float, int, bytes]]
) -> None:
    check_is_a_verdict(judge(mutated(good(mime), changes), mime))


@pytest.mark.parametrize("mime", TYPES)
@given(rest=st.binary(max_size=400))
@fuzzed
def test_any_bytes_behind_a_formats_mark_get_a_verdict(mime: str, rest: bytes) -> None:
    check_is_a_verdict(judge(good(mime)[:8] + rest + b"%%EOF", mime))


@given(content=st.binary(max_size=200), mime=st.text(max_size=100))
@fuzzed
def test_any_bytes_under_any_declared_type_get_a_verdict(content: bytes, mime: str) -> None:
    check_is_a_verdict(judge(content, mime))
