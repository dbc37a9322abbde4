"""One suite over every transport: each test runs in memory and on a real broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.transport.bench import Bench, KafkaBench, MemoryBench


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A transport with topics and a group of this test's own."""
    made: Bench = (
        MemoryBench() if request.param == "memory" else KafkaBench(request.getfixturevalue("platform").kafka_bootstrap)
    )
    yield made
    made.close()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Says which tests need the platform, so that it is fetched before the first of them is timed."""
    callspec = getattr(item, "callspec", None)
    if callspec is not None and callspec.params.get("bench") == "kafka":
        item.fixturenames.insert(0, "platform")  # type: ignore[attr-defined]
