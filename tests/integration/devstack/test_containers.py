"""Kafka and S3 in containers: the same platform for a machine without Java."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound

from cpor.devstack.containers import ContainerStack
from cpor.devstack.endpoints import Endpoints, saved_endpoints
from cpor.devstack.platform import open_platform
from cpor.devstack.stack import silent
from tests.integration.devstack.test_stack import kept, put_and_send
from tests.integration.devstack.world import line_of, parent_running

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(300)]

PARENT = """
import sys, time
from pathlib import Path
from cpor.devstack.containers import ContainerStack
ContainerStack(Path(sys.argv[1]), progress=lambda _: None).start()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    with ContainerStack(tmp_path, progress=silent, keep=False):
        pass  # entering removes what a killed run left, leaving removes the volumes
    shutil.rmtree(tmp_path)


def exists(container: str) -> bool:
    try:
        docker.from_env().containers.get(container)
    except NotFound:
        return False
    return True


def test_containers_of_a_killed_run_are_replaced_and_their_data_is_kept(home: Path) -> None:
    with parent_running(PARENT, str(home)) as parent:
        line_of(parent)
        before = saved_endpoints(home)
        assert before is not None
        put_and_send(before)
        parent.kill()
    orphans = json.loads((home / "containers.json").read_text())
    volumes = {volume.name for volume in docker.from_env().volumes.list()}
    with ContainerStack(home, progress=silent) as stack:
        assert not any(map(exists, orphans))
        assert stack.endpoints == before
        assert kept(stack.endpoints) == (b"kept", b"message")
    assert {volume.name for volume in docker.from_env().volumes.list()} < volumes, "unnamed volumes go with them"


def test_a_platform_that_nobody_comes_back_to_leaves_neither_containers_nor_volumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CPOR_PLATFORM", "docker")
    engine = docker.from_env()
    before = {volume.name for volume in engine.volumes.list()}
    with open_platform(tmp_path, keep=False) as endpoints:
        assert isinstance(endpoints, Endpoints)
        containers = json.loads((tmp_path / "containers.json").read_text())
        assert len(containers) == 2
        assert all(map(exists, containers))
    assert not any(map(exists, containers))
    assert {volume.name for volume in engine.volumes.list()} <= before
