"""A one-node Apache Kafka (KRaft) for one machine: started in about four seconds, keeps its data, ports and
identity over restarts.
"""

from __future__ import annotations

import base64
import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from cpor.devstack.errors import PlatformError
from cpor.devstack.files import write_atomic
from cpor.devstack.jars import Progress, fetch_jars, find_java
from cpor.devstack.ports import LOOPBACK, choose_ports, kept_ports
from cpor.devstack.probe import kafka_answers
from cpor.devstack.process import Child, ProcessTable

READY_SECONDS = 60.0
PORT_TRIES = 3
PORTS = ("client", "controller")
TEN_MIB = 10 * 1024 * 1024

#: Measured on two cores, format + start: G1 4.8 s, Parallel 4.2 s, Serial 3.9 s and a third less CPU; C1
#: alone is right for `format`, which runs for one second, and wrong for a broker under load.
JVM = (
    "-Xms256m",
    "-Xmx768m",
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
)
SHORT_JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")

#: Settings that do not depend on the instance. The reason stands above each group.
BROKER: Mapping[str, object] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENT",
    "controller.listener.names": "CONTROLLER",
    # One node: nothing can be replicated, and few partitions of the internal topics start faster.
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.num.partitions": 8,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 8,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # What the kernel relies on (architecture §3): the broker's clock, offsets that never expire, no topic by
    # accident.
    "log.message.timestamp.type": "LogAppendTime",
    "offsets.retention.minutes": 2147483647,
    "auto.create.topics.enable": "false",
    "message.max.bytes": TEN_MIB,
    "replica.fetch.max.bytes": TEN_MIB,
    "transaction.max.timeout.ms": 900_000,
    # How soon after its time-out a dead worker's transaction is aborted: until then it holds back every reader.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
    # After a SIGKILL the controller waits for the end of the old broker's session (9 s by default) before it lets
    # the new one in. Not shorter: a machine that stalls for seconds must not lose its only broker.
    "broker.session.timeout.ms": 4_000,
    "broker.heartbeat.interval.ms": 500,
    # A group of one machine needs no waiting for more members; tests use short sessions.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    # Small machine, many small partitions.
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.recovery.threads.per.data.dir": 2,
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "log.index.size.max.bytes": 1024 * 1024,
}


class Kafka:
    """The broker of one instance. `start` returns at once; `check` says when it is ready."""

    def __init__(self, home: Path, processes: ProcessTable, progress: Progress) -> None:
        self.home = home
        self.log = home / "broker.log"
        self._processes = processes
        self._progress = progress
        self._child: Child | None = None
        self._ports: dict[str, int] = {}

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._ports['client']}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def run(self) -> None:
        """Start the broker and return when it is ready; `PlatformError` with its last log lines when it does
        not come up.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        java, jars = needed_java(), fetch_jars(self._progress)
        self._ports = kept_ports(self.home / "ports.json", PORTS)
        for _ in range(PORT_TRIES):
            self._launch(java, jars)
            if self._await_ready():
                return
            self._ports = choose_ports(self.home / "ports.json", PORTS)  # someone was faster
        raise PlatformError(f"Kafka found no free port in {PORT_TRIES} tries; see {self.log}")

    def stop(self, grace: float = 20.0) -> None:
        if self._child is not None:
            self._processes.stop([self._child], grace)
            self._child = None

    def _launch(self, java: str, jars: Path) -> None:
        settings = self.home / "server.properties"
        write_atomic(settings, properties({**BROKER, **self._instance_settings()}))
        self._format(java, jars, settings)
        self.log.unlink(missing_ok=True)
        command = [java, *JVM, logging_option(), "-cp", f"{jars}/*", "kafka.Kafka", str(settings)]
        self._child = self._processes.spawn("kafka", command, env=os.environ, log=self.log, cwd=self.home)

    def _format(self, java: str, jars: Path, settings: Path) -> None:
        if (self.home / "data" / "meta.properties").is_file():
            return
        command = [
            java,
            *SHORT_JVM,
            logging_option(),
            "-cp",
            f"{jars}/*",
            "kafka.tools.StorageTool",
            "format",
        ]
        options = [
            f"--cluster-id={cluster_id(self.home / 'cluster-id')}",  # in one word: an id may begin with a dash
            "--config",
            str(settings),
            "--ignore-formatted",
        ]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=READY_SECONDS, check=False)
        if done.returncode != 0:
            raise PlatformError(f"Kafka's storage in {self.home} could not be formatted:\n{done.stdout}{done.stderr}")

    def _instance_settings(self) -> dict[str, object]:
        controller = f"{LOOPBACK}:{self._ports['controller']}"
        return {
            "listeners": f"CLIENT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"CLIENT://{self.bootstrap},CONTROLLER://{controller}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": self.home / "data",
        }

    def _await_ready(self) -> bool:
        """False when the port was taken; the other failures raise."""
        child = self._child
        deadline = time.monotonic() + READY_SECONDS
        while child is not None and child.poll() is None and time.monotonic() < deadline:
            if kafka_answers(self.bootstrap):
                return True
            time.sleep(0.05)
        lines = child.last_lines() if child else ""
        self.stop()
        if "Address already in use" in self.log.read_text(errors="replace"):
            return False
        raise PlatformError(f"Kafka did not start. The last lines of {self.log}:\n{lines}")


def cluster_id(record: Path) -> str:
    """Chosen once for a data directory: stores compare it to know whether they belong to this cluster."""
    if not record.is_file():
        write_atomic(record, base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return record.read_text().strip()


def needed_java() -> str:
    java = find_java()
    if java is None:
        raise PlatformError("Java 17 or newer is needed to run Kafka on this machine")
    return java


def logging_option() -> str:
    return f"-Dlog4j2.configurationFile={Path(__file__).with_name('broker.log4j2.properties')}"


def properties(settings: Mapping[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())
