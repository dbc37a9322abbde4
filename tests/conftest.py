"""The platform that the tests share, and the tests that cannot run on this machine."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.platform import docker_unavailable, open_platform, prepare_platform

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def platform() -> Iterator[Endpoints]:
    """A real Kafka and S3, started when the first test asks for it and ended with the session."""
    with (
        tempfile.TemporaryDirectory(prefix="cpor-test-", ignore_cleanup_errors=True) as folder,
        open_platform(Path(folder)) as endpoints,
    ):
        yield endpoints


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Lists `docker` tests as not run, with the reason, where no engine answers."""
    marked = [item for item in items if item.get_closest_marker("docker")]
    reason = docker_unavailable() if marked else None
    if reason is not None:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Downloads before the first test: a slow line must not count against a test's time limit."""
    wanted = any(needs_platform(item) for item in session.items)
    if wanted and not session.config.option.collectonly:
        prepare_platform(lambda text: print(f"cpor: {text}", file=sys.stderr, flush=True))


def needs_platform(item: pytest.Item) -> bool:
    return "unit" not in item.path.relative_to(HERE).parts or "platform" in getattr(item, "fixturenames", ())
