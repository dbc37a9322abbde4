"""What this machine has of what an instance needs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from cpor.devstack.jars import find_java, find_maven, jar_dir
from cpor.devstack.platform import PlatformKind, docker_unavailable
from cpor.ops.findings import Finding, bad, good, warn

GIB = 1024**3
ENOUGH_FREE = 2 * GIB


def machine_findings() -> Iterator[Finding]:
    yield good("Python", sys.version.split()[0])
    yield _native_crc()
    yield from _platform()
    free = shutil.disk_usage(".").free
    if free < ENOUGH_FREE:
        yield warn("disk", f"{free / GIB:.1f} GiB free", "make room: Kafka stops when its disk is full")
    else:
        yield good("disk", f"{free / GIB:.0f} GiB free")


def _native_crc() -> Finding:
    from cpor.runtime.errors import Misconfigured
    from cpor.runtime.transport.kafka import assert_native_crc

    try:
        assert_native_crc()
    except Misconfigured as fault:
        return bad("Kafka client", str(fault), "install crc32c: `make install`")
    return good("Kafka client", "checksums in native code")


def _platform() -> Iterator[Finding]:
    """One of Java with Maven, or Docker, is enough; a platform of somebody else's needs neither."""
    if os.environ.get("CPOR_PLATFORM") == PlatformKind.EXTERNAL:
        yield good("platform", "Kafka and S3 of your own: neither Java nor Docker is needed here")
        return
    java, maven, jars = find_java(), find_maven(), jar_dir().is_dir()
    docker = docker_unavailable()
    embedded = java is not None and (maven is not None or jars)
    missing = bad if docker and not embedded else warn
    alternative = "or start a Docker engine" if docker else "Docker is used instead"
    yield good("Java", str(java)) if java else missing("Java", "no Java 17 or newer", f"install one; {alternative}")
    if maven or jars:
        yield good("Maven", str(maven) if maven else "not needed: the broker has been fetched")
    else:
        yield missing("Maven", "not found, and the broker has not been fetched", f"install Maven; {alternative}")
    if docker is None:
        yield good("Docker", "an engine answers")
    elif embedded:
        yield good("Docker", f"{docker}; not needed here")
    else:
        yield bad("Docker", docker, "start one, or install Java 17 and Maven")
