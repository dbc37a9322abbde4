"""Kafka and S3 of one instance in containers, for a machine with a Docker engine and no Java."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import docker
from docker.errors import DockerException, NotFound
from testcontainers.core.container import DockerContainer

from cpor.devstack.endpoints import Endpoints, record_of
from cpor.devstack.entered import Entered
from cpor.devstack.errors import PlatformError
from cpor.devstack.files import write_atomic
from cpor.devstack.jars import Progress
from cpor.devstack.kafka import BROKER, cluster_id
from cpor.devstack.ports import LOOPBACK, kept_ports
from cpor.devstack.probe import kafka_answers
from cpor.devstack.process import ProcessTable
from cpor.devstack.seaweed import credentials, prepare_bucket, s3_answers, s3_client

KAFKA_IMAGE = "apache/kafka:4.3.0"
S3_IMAGE = "chrislusf/seaweedfs:4.48"
READY_SECONDS = 90.0
INSIDE_CLIENT, INSIDE_BROKER, INSIDE_CONTROLLER, INSIDE_S3 = 9092, 19092, 9093, 8333
KAFKA_DATA, S3_DATA = "/var/lib/kafka/data", "/data"
S3_COMMAND = f"mini -dir={S3_DATA} -ip.bind=0.0.0.0 -master.telemetry=false -admin.ui=false -webdav=false"


class ContainerStack(Entered):
    """As `Stack`, over containers whose ports are published on the loopback interface only.

    With `keep` their data lies in volumes that a later start on the same directory finds again; without, the
    volumes go too. Containers of a run that was killed are removed at the next start (and by testcontainers'
    own reaper). `start` raises `PlatformError` or `DataDirInUse`.
    """

    def __init__(self, data_dir: Path, *, progress: Progress, keep: bool = True) -> None:
        self.data_dir = data_dir.resolve()
        self._progress = progress
        self._keep = keep
        self._open = ExitStack()

    def start(self) -> None:
        try:
            self._start()
        except DockerException as error:
            self.stop()
            raise PlatformError(f"the containers could not be started: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Harmless when done twice."""
        record_of(self.data_dir).unlink(missing_ok=True)
        self._open.close()

    def _start(self) -> None:
        self._open.enter_context(ProcessTable(self.data_dir))
        remove_recorded(self._containers)
        ports = kept_ports(self.data_dir / "container-ports.json", ("kafka", "s3"))
        keys = credentials(self.data_dir / "s3" / "credentials.json")
        self._progress(f"starting {KAFKA_IMAGE} and {S3_IMAGE}")
        if not self._keep:
            self._open.callback(remove_volumes, [self._volume("kafka"), self._volume("s3")])
        self._run([self._kafka(ports["kafka"]), self._s3(ports["s3"], keys)])
        self.endpoints = Endpoints(
            f"{LOOPBACK}:{ports['kafka']}", f"http://{LOOPBACK}:{ports['s3']}", *keys, self.data_dir
        )
        self._await_ready()
        self.endpoints.save()
        self._progress(f"ready: Kafka on {self.endpoints.kafka_bootstrap}, S3 on {self.endpoints.s3_endpoint}")

    def _run(self, containers: list[DockerContainer]) -> None:
        started: list[str] = []
        for container in containers:
            self._open.callback(container.stop)
            container.start()
            started.append(str(container.get_wrapped_container().id))
            write_atomic(self._containers, json.dumps(started))

    def _await_ready(self) -> None:
        here = self.endpoints
        client = s3_client(here.s3_endpoint, here.s3_access_key, here.s3_secret_key)
        await_true(lambda: kafka_answers(here.kafka_bootstrap), "Kafka")
        await_true(lambda: s3_answers(client), "SeaweedFS")
        prepare_bucket(client)

    def _kafka(self, port: int) -> DockerContainer:
        settings = {name.upper().replace(".", "_"): str(value) for name, value in self._broker(port).items()}
        kafka = (
            DockerContainer(KAFKA_IMAGE)
            .with_envs(**{f"KAFKA_{name}": value for name, value in settings.items()})
            .with_envs(CLUSTER_ID=cluster_id(self.data_dir / "kafka" / "cluster-id"), KAFKA_HEAP_OPTS="-Xmx768m")
            .with_volume_mapping(self._volume("kafka"), KAFKA_DATA, "rw")
        )
        return published(kafka, INSIDE_CLIENT, port)

    @staticmethod
    def _broker(port: int) -> dict[str, object]:
        """The broker talks to itself, which it could not under the address that clients outside use."""
        listeners = {"CLIENT": INSIDE_CLIENT, "BROKER": INSIDE_BROKER, "CONTROLLER": INSIDE_CONTROLLER}
        return {
            **BROKER,
            "listeners": ",".join(f"{name}://0.0.0.0:{inside}" for name, inside in listeners.items()),
            "advertised.listeners": f"CLIENT://{LOOPBACK}:{port},BROKER://localhost:{INSIDE_BROKER}",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
            "inter.broker.listener.name": "BROKER",
            "controller.quorum.voters": f"1@localhost:{INSIDE_CONTROLLER}",
            "log.dirs": KAFKA_DATA,
        }

    def _s3(self, port: int, keys: tuple[str, str]) -> DockerContainer:
        s3 = (
            DockerContainer(S3_IMAGE)
            .with_envs(AWS_ACCESS_KEY_ID=keys[0], AWS_SECRET_ACCESS_KEY=keys[1])
            .with_command(S3_COMMAND)
            .with_volume_mapping(self._volume("s3"), S3_DATA, "rw")
        )
        return published(s3, INSIDE_S3, port)

    def _volume(self, part: str) -> str:
        return f"cpor-{hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]}-{part}"

    @property
    def _containers(self) -> Path:
        return self.data_dir / "containers.json"


def published(container: DockerContainer, inside: int, port: int) -> DockerContainer:
    """Reachable under this `port`, the same after a restart, and from this machine only."""
    # The engine takes an address too; the types of testcontainers know only the port.
    container.ports[str(inside)] = (LOOPBACK, port)  # type: ignore[assignment]
    return container


def remove_recorded(record: Path) -> None:
    """Remove the containers, by id, of a run that did not end in the usual way."""
    if not record.is_file():
        return
    client = docker.from_env()
    for container in json.loads(record.read_text()):
        with suppress(NotFound):
            client.containers.get(container).remove(force=True, v=True)
    record.unlink()


def remove_volumes(names: list[str]) -> None:
    client = docker.from_env()
    for name in names:
        with suppress(NotFound):
            client.volumes.get(name).remove(force=True)


def await_true(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise PlatformError(f"{what} did not answer within {READY_SECONDS:g} s of its container's start")
        time.sleep(0.1)
