"""An instance that an older version made goes on under this one, with all that it had not yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from cpor.devstack.mail import received
from cpor.devstack.platform import PlatformKind, choose_platform, open_platform, prepare_platform
from cpor.ops.clock import await_idle
from cpor.ops.partner_client import Dropbox, PartnerClient
from cpor.ops.reading import partition_counts
from cpor.ops.running import Plan, Running, run_workers
from cpor.runtime.topics import FIXED_TOPICS, Topic
from tests.acceptance.desk import START_SECONDS, Desk, filed, set_up

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(2 * START_SECONDS + 90)]

#: What the services that came later read and write for themselves.
LATER = ("cpor.consent.", "cpor.deadlines.", "cpor.notify.")


def test_topics_that_came_later_are_made_and_their_services_tell_of_the_claims_there_are(tmp_path: Path) -> None:
    if choose_platform() is PlatformKind.EXTERNAL:
        pytest.skip("needs a Kafka of its own: its topics are deleted")
    prepare_platform()
    data, begins = tmp_path / "data", "2026-03-02T08:00:00Z"
    with open_platform(data, keep=False) as endpoints:
        with run_workers(Plan(data, begins, services=("intake", "review")), endpoints) as older:
            make_a_claim(older, tmp_path)
        later = [spec.name for spec in FIXED_TOPICS if spec.name.startswith(LATER)]
        delete(endpoints.kafka_bootstrap, later)
        with run_workers(Plan(data), endpoints) as running:
            await_idle(running.instance)
            assert set(later) <= partition_counts(running.instance.transport).keys()
            mails = received(Path(running.instance.endpoints.mail_dir))
            assert [each.message["X-CPOR-Kind"] for each in mails] == ["customer_requested"]


def make_a_claim(running: Running, folder: Path) -> None:
    instance = running.instance
    set_up(Desk(instance.data), folder)
    client = PartnerClient(instance.transport, "P-1", partition_counts(instance.transport)[Topic.INTAKE_SLOTS])
    filed(client, Dropbox(instance.endpoints, "P-1"), "c-1", "101", "teams")
    await_idle(instance)
    client.close()


def delete(bootstrap: str, topics: list[str]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics(topics)
    admin.close()
