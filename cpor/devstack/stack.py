"""Kafka and S3 of one instance, without containers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cpor.devstack.endpoints import Endpoints, record_of
from cpor.devstack.entered import Entered
from cpor.devstack.jars import Progress
from cpor.devstack.kafka import Kafka
from cpor.devstack.process import ProcessTable
from cpor.devstack.seaweed import Seaweed


def silent(_: str) -> None:
    """Progress for those who do not want to hear of it."""


class Stack(Entered):
    """One instance's Kafka and S3, the only one on its data directory.

    Use it as a context manager, or `start` and `stop`. What it starts dies with this process, however that
    ends. `start` raises `PlatformError` (what is missing, or the log of what failed) or `DataDirInUse`, and
    leaves nothing running then.
    """

    def __init__(self, data_dir: Path, *, kafka: bool = True, s3: bool = True, progress: Progress = silent) -> None:
        self.data_dir = data_dir.resolve()
        self._progress = progress
        self._processes = ProcessTable(self.data_dir)
        self._kafka = Kafka(self.data_dir / "kafka", self._processes, progress) if kafka else None
        self._s3 = Seaweed(self.data_dir / "s3", self._processes) if s3 else None

    def start(self) -> None:
        self._processes.open()
        try:
            self._progress("starting " + " and ".join(self._names()))
            self._all_at_once([part.run for part in (self._kafka, self._s3) if part])
            self.endpoints.save()
            self._progress("ready: " + ", ".join(f"{name} on {self._where(name)}" for name in self._names()))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Harmless when done twice."""
        record_of(self.data_dir).unlink(missing_ok=True)
        self._all_at_once([part.stop for part in (self._kafka, self._s3) if part])
        self._processes.close()

    @property
    def endpoints(self) -> Endpoints:
        """Where the parts are; empty strings for a part that was not asked for."""
        return Endpoints(
            kafka_bootstrap=self._kafka.bootstrap if self._kafka else "",
            s3_endpoint=self._s3.endpoint if self._s3 else "",
            s3_access_key=self._s3.access_key if self._s3 else "",
            s3_secret_key=self._s3.secret_key if self._s3 else "",
            data_dir=self.data_dir,
        )

    def env(self) -> dict[str, str]:
        """`CPOR_*` variables for workers and tools."""
        return self.endpoints.env()

    @property
    def pids(self) -> dict[str, int]:
        """The running parts, by name."""
        known = {"kafka": self._kafka and self._kafka.pid, "s3": self._s3 and self._s3.pid}
        return {name: pid for name, pid in known.items() if pid}

    def _names(self) -> list[str]:
        return [name for name, part in (("Kafka", self._kafka), ("S3", self._s3)) if part]

    def _where(self, name: str) -> str:
        return self.endpoints.kafka_bootstrap if name == "Kafka" else self.endpoints.s3_endpoint

    @staticmethod
    def _all_at_once(jobs: list[Callable[[], None]]) -> None:
        """All are waited for, also when one fails: nothing may still be starting when the caller cleans up."""
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="platform") as pool:
            running = [pool.submit(job) for job in jobs]
        for job in running:
            job.result()
