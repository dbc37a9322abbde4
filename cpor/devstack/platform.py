"""Which Kafka and S3 to use: an embedded pair, containers, or the user's own (`CPOR_PLATFORM`, architecture
§6).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from cpor.devstack.endpoints import Endpoints, endpoints_from_env, record_of
from cpor.devstack.errors import PlatformError
from cpor.devstack.jars import Progress, fetch_jars, find_java, find_maven, jar_dir
from cpor.devstack.stack import Stack, silent

#: Exit code of a command that found no platform (contract §7).
NOT_REACHABLE = 3

WHAT_TO_INSTALL = """\
There is nothing here to run Kafka and S3 on. Do one of these:
  - install Java 17 or newer and Maven (`java` and `mvn` on the PATH): then everything runs without containers;
  - start a Docker engine ({docker});
  - set CPOR_PLATFORM=external and CPOR_KAFKA_BOOTSTRAP, CPOR_S3_ENDPOINT, CPOR_S3_ACCESS_KEY and
    CPOR_S3_SECRET_KEY to your own."""


class PlatformKind(StrEnum):
    EMBEDDED = "embedded"
    DOCKER = "docker"
    EXTERNAL = "external"


@contextmanager
def open_platform(data_dir: Path, *, progress: Progress = silent, keep: bool = True) -> Iterator[Endpoints]:
    """A running platform for the time of the `with` block.

    `keep=False` says that nobody will come back for the data: containers' volumes are then removed too
    (embedded data lies in `data_dir`, whose removal is the caller's). Raises `PlatformError` with one message
    that says what to do.
    """
    kind = choose_platform()
    if kind is PlatformKind.EXTERNAL:
        yield from external(data_dir)
    elif kind is PlatformKind.DOCKER:
        from cpor.devstack.containers import (
            ContainerStack,  # not needed, and slow to import, where there are no containers
        )

        with ContainerStack(data_dir, progress=progress, keep=keep) as containers:
            yield containers.endpoints
    else:
        with Stack(data_dir, progress=progress) as stack:
            yield stack.endpoints


def external(data_dir: Path) -> Iterator[Endpoints]:
    endpoints = endpoints_from_env(data_dir.resolve())
    endpoints.save()
    try:
        yield endpoints
    finally:
        record_of(endpoints.data_dir).unlink(missing_ok=True)


def choose_platform() -> PlatformKind:
    """`CPOR_PLATFORM`, or the first kind that this machine can run; `PlatformError` where it can run none."""
    named = os.environ.get("CPOR_PLATFORM")
    if named:
        return named_platform(named)
    if embedded_possible():
        return PlatformKind.EMBEDDED
    reason = docker_unavailable()
    if reason is None:
        return PlatformKind.DOCKER
    raise PlatformError(WHAT_TO_INSTALL.format(docker=reason))


def named_platform(name: str) -> PlatformKind:
    try:
        return PlatformKind(name)
    except ValueError:
        raise PlatformError(f"CPOR_PLATFORM is {name!r}; it can be {', '.join(PlatformKind)}") from None


def embedded_possible() -> bool:
    """Maven is needed only until the broker has been fetched."""
    return find_java() is not None and (find_maven() is not None or jar_dir().is_dir())


def docker_unavailable() -> str | None:
    """Why no container can be started here, in a few words; None when an engine answers."""
    try:
        import docker

        docker.from_env(timeout=10).ping()
    except Exception as error:  # the client raises what its transport raises, down to urllib3
        return f"no Docker engine answers: {type(error).__name__}"
    return None


def prepare_platform(progress: Progress = silent) -> None:
    """Download what the first start needs, so that it need not count against anyone's time limit."""
    if choose_platform() is PlatformKind.EMBEDDED:
        fetch_jars(progress)
