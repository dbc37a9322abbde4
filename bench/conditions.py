"""Under which conditions a figure was measured: it is worth nothing without them."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from cpor.devstack.jars import find_java, java_version, kafka_version
from cpor.devstack.platform import PlatformKind, choose_platform

PACKAGES = (
    "kafka-python", "crc32c", "pydantic", "rocksdict", "holidays", "faust-streaming", "aiokafka", "aiosmtpd",
    "quixstreams", "confluent-kafka",
)  # fmt: skip
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(slots=True)
class Conditions:
    """The machine and the versions; load averages are those of 1, 5 and 15 minutes."""

    began: str
    cpus: int
    memory_gib: float
    system: str
    python: str
    broker: str
    java: int | None
    revision: str
    packages: dict[str, str] = field(default_factory=dict)
    load_before: tuple[float, float, float] = (0.0, 0.0, 0.0)
    load_after: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def end(self) -> None:
        """To be called when the measurements are over."""
        self.load_after = load()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """For the table."""
        return [
            ("when", self.began),
            ("machine", f"{self.cpus} CPUs, {self.memory_gib} GiB, {self.system}"),
            ("load average", f"{_shown(self.load_before)} before, {_shown(self.load_after)} after"),
            ("broker", f"{self.broker}, Java {self.java or 'elsewhere'}"),
            ("Python", self.python),
            ("packages", ", ".join(f"{name} {held}" for name, held in self.packages.items())),
            ("revision", self.revision),
        ]


def conditions() -> Conditions:
    """As they are now."""
    java = find_java()
    return Conditions(
        began=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        cpus=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        broker=_broker(),
        java=None if java is None else java_version(java),
        revision=_revision(),
        packages=_packages(),
        load_before=load(),
    )


def load() -> tuple[float, float, float]:
    one, five, fifteen = os.getloadavg()
    return round(one, 2), round(five, 2), round(fifteen, 2)


def _shown(loads: tuple[float, float, float]) -> str:
    return " ".join(f"{each:.2f}" for each in loads)


def _broker() -> str:
    kind = choose_platform()
    told = f"Kafka {kafka_version()}, one node" if kind is not PlatformKind.EXTERNAL else "a Kafka of your own"
    return f"{told} ({kind.value})"


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _revision() -> str:
    """The commit and whether the tree differs from it; `unknown` outside a checkout."""
    told = [_git("rev-parse", "--short", "HEAD"), "changed" if _git("status", "--porcelain", "-uno") else ""]
    return " ".join(each for each in told if each) or "unknown"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
