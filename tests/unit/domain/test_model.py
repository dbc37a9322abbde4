"""What a claim's state says about itself."""

from __future__ import annotations

from cpor.domain.vocabulary import Instant, Status
from tests.unit.domain.claims import in_status


def test_a_clock_that_runs_out_now_no_longer_runs() -> None:
    claim = in_status(Status.PARTNER_ACTION_REQUIRED).claim("c")
    (due,) = claim.due()
    assert claim.due(Instant(due.due - 1)) == (due,)
    assert claim.due(due.due) == ()
