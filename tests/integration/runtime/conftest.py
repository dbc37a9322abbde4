from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from tests.integration.runtime.world import World, opened


@pytest.fixture
def world(platform: Endpoints, tmp_path: Path) -> Iterator[World]:
    with opened(platform.kafka_bootstrap, tmp_path) as made:
        yield made
