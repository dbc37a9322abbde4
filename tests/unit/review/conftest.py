"""Review in memory, audited at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.review.pipeline import Pipeline


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    """Every history ends with the audit: strict schemas, receipts, folds, associations, hand-offs."""
    made = Pipeline()
    yield made
    made.audit()
