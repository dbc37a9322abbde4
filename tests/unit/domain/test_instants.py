"""Instants as they are written (contract §2)."""

from __future__ import annotations

import time

import pytest

from cpor.domain.instants import instant_text
from cpor.domain.vocabulary import Instant


def test_an_instant_is_written_in_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as place:
        place.setenv("TZ", "America/New_York")
        time.tzset()
        written = instant_text(Instant(12_345 * 86_400_000))
    time.tzset()
    assert written == "2003-10-20T00:00:00.000Z"
