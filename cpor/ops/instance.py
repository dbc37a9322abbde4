"""The running instance that a command talks to: where its parts are, and which clock it runs by."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cpor.devstack.endpoints import Endpoints, endpoints_from_env, saved_endpoints
from cpor.devstack.errors import PlatformError
from cpor.devstack.probe import kafka_answers
from cpor.ops.errors import NotReachable
from cpor.ops.settings import read_settings
from cpor.runtime.clock import Clock, SystemClock, TestClock
from cpor.runtime.settings import with_secrets

if TYPE_CHECKING:
    from cpor.runtime.transport.kafka import KafkaTransport

DEFAULT_DATA = Path(".cpor")
CLOCK_FILE = "clock.json"

DataDir = Annotated[
    Path, typer.Option("--data", envvar="CPOR_DATA", help="Directory of the instance.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine output: JSON on standard output.")]


@dataclass(frozen=True)
class Instance:
    """A running instance. `test_clock` is the clock's file, None where the system's clock holds."""

    endpoints: Endpoints
    test_clock: Path | None = None

    @property
    def data(self) -> Path:
        return self.endpoints.data_dir

    @cached_property
    def clock(self) -> Clock:
        return TestClock(self.test_clock) if self.test_clock else SystemClock()

    @cached_property
    def transport(self) -> KafkaTransport:
        from cpor.runtime.transport.kafka import KafkaTransport  # slow to import; `--help` does without

        return KafkaTransport(self.endpoints.kafka_bootstrap, self.clock)

    def env(self) -> dict[str, str]:
        """The `CPOR_*` variables of a worker."""
        clock = {"CPOR_TEST_CLOCK": str(self.test_clock)} if self.test_clock else {}
        return self.endpoints.env() | clock | read_settings(self.data)


def find_instance(data: Path, environment: Mapping[str, str] = os.environ) -> Instance:
    """The instance on `data`, or the one that the environment names. Raises NotReachable."""
    endpoints = saved_endpoints(data) or _named_by(environment, data)
    if endpoints is None:
        raise NotReachable(
            f"no instance runs on {data}: start one with `cpor up --data {data}`, or name another with --data"
        )
    if not kafka_answers(endpoints.kafka_bootstrap):
        raise NotReachable(
            f"Kafka does not answer at {endpoints.kafka_bootstrap}: is `cpor up --data {data}` still running?"
        )
    return Instance(endpoints, clock_file(data, environment))


def _named_by(environment: Mapping[str, str], data: Path) -> Endpoints | None:
    if not environment.get("CPOR_KAFKA_BOOTSTRAP"):
        return None
    try:
        return endpoints_from_env(data.resolve(), with_secrets(environment))
    except PlatformError as fault:
        raise NotReachable(str(fault)) from None


def clock_file(data: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file of the instance's test clock; None where it has none."""
    named = environment.get("CPOR_TEST_CLOCK")
    path = Path(named) if named else data.resolve() / CLOCK_FILE
    return path if path.exists() else None
