"""A project of `docker compose` of its own: its name, its ports and its volumes are nobody else's."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker

from cpor.devstack.ports import kept_ports
from cpor.ops.running import DELIVERY, PAGE, SERVICES
from tests.unit.docs.pages import ROOT, fenced

WORKERS = (*SERVICES, PAGE, DELIVERY)
PLATFORM = ("kafka", "store", "mail")
#: A busy machine builds the image and starts everything in this time, seconds.
START_SECONDS = 900


class Compose:
    """Commands are run as a person types them, in the project's folder; the environment leads them to this project."""

    def __init__(self, home: Path, clock: str) -> None:
        ports = kept_ports(home / "ports.json", ("kafka", "mail", "consent"))
        self.project = f"cpor-test-{uuid.uuid4().hex[:8]}"
        self.mail_url = f"http://127.0.0.1:{ports['mail']}"
        self.env = os.environ | {
            "COMPOSE_PROJECT_NAME": self.project,
            "CPOR_KAFKA_PORT": str(ports["kafka"]),
            "CPOR_MAIL_PORT": str(ports["mail"]),
            "CPOR_CONSENT_PORT": str(ports["consent"]),
            "CPOR_TEST_CLOCK": clock,
        }

    def type(self, line: str, *, code: int | None = 0, told: str | None = None) -> str:
        """What a command line prints on standard output; it must end with `code`, if one is given. `told` is its
        standard input.
        """
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=ROOT,
            env=self.env,
            input=told,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
        last = f"{line}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        assert code in (None, done.returncode), last
        return done.stdout

    def start(self, line: str) -> None:
        """`up --wait`; what does not come up is told with its last words."""
        try:
            self.type(line)
        except AssertionError as failed:
            failed.add_note(self.last_words())
            raise

    def cpor(self, *words: str) -> Any:
        """The JSON that a command of `cpor` prints, run in its container."""
        return json.loads(self.type(f"docker compose run --rm -T cpor {shlex.join(words)} --json"))

    def container(self, service: str) -> Any:
        """The container of a service, as the engine knows it now."""
        engine = docker.from_env()
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        (found,) = engine.containers.list(filters={"label": [*labels, "com.docker.compose.oneoff=False"]})
        return found

    def health(self, service: str) -> str:
        return str(self.container(service).attrs["State"]["Health"]["Status"])

    def left(self) -> list[str]:
        """Containers, volumes and networks of this project that are still there."""
        engine = docker.from_env()
        mine = {"label": f"com.docker.compose.project={self.project}"}
        found = [*engine.containers.list(all=True, filters=mine), *engine.volumes.list(filters=mine)]
        return [each.name for each in (*found, *engine.networks.list(filters=mine))]

    def until(self, done: Callable[[], bool], what: str, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}\n{self.last_words()}"
            time.sleep(0.5)

    def last_words(self) -> str:
        return self.type("docker compose ps --all && docker compose logs --tail 8")


def plugin_missing() -> bool:
    """Whether the engine is there without `docker compose`."""
    if shutil.which("docker") is None:
        return True
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0


def documented() -> list[str]:
    """The commands of operations.md, "With containers", in their order."""
    page = (ROOT / "docs" / "operations.md").read_text()
    return fenced(page.partition("\n## With containers\n")[2].partition("\n## ")[0], "sh")
