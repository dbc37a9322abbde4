"""The workers of this machine beside Kafka, S3 and a mail server in containers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from testcontainers.core.container import DockerContainer

from cpor.devstack.containers import ContainerStack, published
from cpor.devstack.ports import LOOPBACK, kept_ports
from cpor.devstack.stack import silent
from cpor.ops.mailbox import read_mails
from cpor.ops.running import Plan, run_workers
from tests.integration.containers.partner import contact_of, file_claim
from tests.unit.devstack.test_compose import MAIL_IMAGE

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]

SMTP, HTTP = 1025, 8025
MAIL_SECONDS = 120


@pytest.fixture
def mailpit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Mailpit that the workers are told of."""
    ports = kept_ports(tmp_path / "mail-ports.json", ("smtp", "http"))
    server = published(published(DockerContainer(MAIL_IMAGE), SMTP, ports["smtp"]), HTTP, ports["http"])
    monkeypatch.setenv("CPOR_SMTP", f"{LOOPBACK}:{ports['smtp']}")
    monkeypatch.setenv("CPOR_MAIL_URL", f"http://{LOOPBACK}:{ports['http']}")
    monkeypatch.delenv("CPOR_MAIL_DIR", raising=False)
    with server:
        yield


@pytest.mark.usefixtures("mailpit")
def test_a_claim_goes_from_a_message_to_a_mail_with_kafka_s3_and_mail_in_containers(tmp_path: Path) -> None:
    home = tmp_path / "instance"
    with (
        ContainerStack(home, progress=silent, keep=False) as stack,
        run_workers(Plan(home), stack.endpoints) as running,
    ):
        file_claim(running.instance, "c-1")
        deadline = time.monotonic() + MAIL_SECONDS
        while not any(contact_of("c-1") in mail.to for mail in read_mails(running.instance)):
            assert time.monotonic() < deadline, "no mail to the customer"
            time.sleep(0.2)
    shutil.rmtree(home)
