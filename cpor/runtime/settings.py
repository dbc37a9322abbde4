"""What a worker process is told: command line for what differs between processes, environment for what they share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cpor.runtime.clock import Clock, SystemClock, TestClock
from cpor.runtime.errors import Misconfigured
from cpor.runtime.health import EVERY_SECONDS, EVERY_SECONDS_TESTED, Health
from cpor.runtime.topics import FIXED_TOPICS, Count
from cpor.runtime.transport.kafka import SESSION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS

#: Partitions embedded; production has 48 and 24 (contract §1).
CLAIMS_PARTITIONS = 8
PARTNERS_PARTITIONS = 4
GRACE_MS = 60_000
#: What may be named by a file that holds it, CPOR_…_FILE, so that it stands in no environment.
SECRETS = (
    "CPOR_CONSENT_KEY",
    "CPOR_S3_ACCESS_KEY",
    "CPOR_S3_SECRET_KEY",
    "CPOR_SMTP_PASSWORD",
    "CPOR_BOUNCES_PASSWORD",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a worker needs to know; see `docs/configuration.md`."""

    service: str
    slot: str
    data: Path
    kafka_bootstrap: str
    s3_endpoint: str = ""
    s3_access_key: str = ""
    s3_secret_key: str = ""
    s3_bucket: str = "poe"
    s3_region: str = "us-east-1"
    claims_partitions: int = CLAIMS_PARTITIONS
    partners_partitions: int = PARTNERS_PARTITIONS
    test_clock: Path | None = None
    session_ms: int = SESSION_TIMEOUT_MS
    transaction_ms: int = TRANSACTION_TIMEOUT_MS
    watchdog_seconds: int = 60
    #: How long a time-out waits after its instant for what was received before it, ms (D19).
    grace_ms: int = GRACE_MS
    #: Signs the tokens of consent's links; 32 bytes or more.
    consent_key: str = field(default="", repr=False)
    #: Where Prometheus asks, None: nowhere.
    metrics: tuple[str, int] | None = None

    @property
    def home(self) -> Path:
        """The worker's own directory: `<data>/<service>/<slot>`."""
        return self.data / self.service / self.slot

    def clock(self) -> Clock:
        return SystemClock() if self.test_clock is None else TestClock(self.test_clock)

    def health(self) -> Health:
        """What the worker tells of itself, in its own directory."""
        every = EVERY_SECONDS if self.test_clock is None else EVERY_SECONDS_TESTED
        return Health(self.service, self.slot, self.home / "health.json", every)

    @classmethod
    def read(cls, service: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Settings:
        """From `--slot` and `--data` and the CPOR_* variables. Raises Misconfigured, naming what is missing."""
        env = with_secrets(os.environ if environment is None else environment)
        parser = argparse.ArgumentParser(prog=f"python -m services.{service}")
        parser.add_argument(
            "--slot", default=env.get("CPOR_SLOT", "0"), help="this process's place in the group; one process per slot"
        )
        parser.add_argument(
            "--data", type=Path, default=Path(env.get("CPOR_DATA", ".cpor")), help="local data directory"
        )
        told = parser.parse_args(arguments)
        if not env.get("CPOR_KAFKA_BOOTSTRAP"):
            raise Misconfigured(
                "CPOR_KAFKA_BOOTSTRAP is not set: run `cpor env` to see the running instance's settings"
            )
        clock = env.get("CPOR_TEST_CLOCK")
        return cls(
            service=service,
            slot=told.slot,
            data=told.data,
            kafka_bootstrap=env["CPOR_KAFKA_BOOTSTRAP"],
            s3_endpoint=env.get("CPOR_S3_ENDPOINT", ""),
            s3_access_key=env.get("CPOR_S3_ACCESS_KEY", ""),
            s3_secret_key=env.get("CPOR_S3_SECRET_KEY", ""),
            s3_bucket=env.get("CPOR_S3_BUCKET", "poe"),
            s3_region=env.get("CPOR_S3_REGION", "us-east-1"),
            claims_partitions=_number(env, "CPOR_CLAIMS_PARTITIONS", CLAIMS_PARTITIONS),
            partners_partitions=_number(env, "CPOR_PARTNERS_PARTITIONS", PARTNERS_PARTITIONS),
            test_clock=Path(clock) if clock else None,
            session_ms=_number(env, "CPOR_SESSION_MS", SESSION_TIMEOUT_MS),
            transaction_ms=_number(env, "CPOR_TRANSACTION_MS", TRANSACTION_TIMEOUT_MS),
            watchdog_seconds=_number(env, "CPOR_WATCHDOG_SECONDS", 60),
            grace_ms=_number(env, "CPOR_GRACE_MS", GRACE_MS),
            consent_key=env.get("CPOR_CONSENT_KEY", ""),
            metrics=_address(env, "CPOR_METRICS_PORT"),
        )

    def counts(self) -> dict[str, int]:
        """Partitions by kind of topic, for `Admin.create`."""
        return {"claims": self.claims_partitions, "partners": self.partners_partitions, "one": 1}

    def check_partitions(self, there: Mapping[str, int], slots_topic: str) -> None:
        """Raises Misconfigured where a worker on these slots would reckon with other numbers than its topics have: a
        tenant's records would lie in two partitions, and two partners could hold one unit.
        """
        kinds = {spec.name: spec.count for spec in FIXED_TOPICS}
        for topic, kind in kinds.items():
            told = self.counts()[kind]
            if kind in (Count.CLAIMS, kinds.get(slots_topic)) and there.get(topic, told) != told:
                raise Misconfigured(
                    f"CPOR_{kind.name}_PARTITIONS is not the number that the topics have",
                    told=told,
                    topic=topic,
                    there=there[topic],
                )


def with_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the secrets that it names by a file; one that it names itself goes first.

    Raises Misconfigured where such a file cannot be read.
    """
    named = {name: environment.get(f"{name}_FILE") for name in SECRETS}
    return {name: _content(f"{name}_FILE", path) for name, path in named.items() if path} | {
        name: value for name, value in environment.items() if value or name not in SECRETS
    }


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise Misconfigured(f"{name} names {path}, which cannot be read: {type(fault).__name__}") from None


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    told = env.get(name) or str(default)
    if not told.isascii() or not told.isdigit() or int(told) < 1:
        raise Misconfigured(f"{name} must be a whole number above 0, not {told[:40]!r}")
    return int(told)


def _address(env: Mapping[str, str], name: str) -> tuple[str, int] | None:
    """`9100` (this machine only) or `0.0.0.0:9100`."""
    told = env.get(name)
    if not told:
        return None
    host, _, port = told.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise Misconfigured(f"{name} must be a port or host:port, not {told[:40]!r}")
    return host or "127.0.0.1", int(port)
