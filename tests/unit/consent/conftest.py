from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.consent.page_stage import SOON, Browser, browsing
from tests.unit.consent.stage import Stage


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Before an approved claim whose notice was delivered a while ago."""
    stage = Stage()
    stage.waiting()
    stage.clock.tick(SOON)
    with browsing(stage, tmp_path) as made:
        yield made
