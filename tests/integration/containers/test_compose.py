"""The compose file as a person uses it: every command of operations.md, "With containers", word for word, in order.

Needs an engine with the compose plugin; one instance for all, on ports that the system chooses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cpor.ops.demo.command import BEGINS
from cpor.ops.mailbox import mails_of_mailpit
from tests.integration.containers import partner
from tests.integration.containers.compose import PLATFORM, START_SECONDS, WORKERS, Compose, documented, plugin_missing

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(START_SECONDS * 2)]

UP, STATUS, DOCTOR, DOWN, UP_ON_TEST_CLOCK, DEMO, REMOVE = documented()


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """An instance on a test clock, started as the page says; nothing of it is left, whatever happens."""
    if plugin_missing():
        pytest.skip("the docker command has no compose plugin")
    project = Compose(tmp_path_factory.mktemp("compose"), BEGINS)
    try:
        project.start(UP)
        yield project
    finally:
        project.type(REMOVE)
        assert project.left() == []


def mailed(compose: Compose, ref: str) -> list[str]:
    """The subjects of the mails to the customer of a claim."""
    return [mail.subject for mail in mails_of_mailpit(compose.mail_url) if partner.contact_of(ref) in mail.to]


def file_claim(compose: Compose, ref: str) -> str:
    """A partner's system inside the network, where the store has the name that it gives out."""
    script = Path(partner.__file__).read_text()
    return compose.type(f"docker compose run --rm -T --entrypoint python cpor - {ref}", told=script).split()[-1]


def test_up_waits_until_everything_is_healthy(compose: Compose) -> None:
    assert {service: compose.health(service) for service in (*WORKERS, *PLATFORM)} == dict.fromkeys(
        (*WORKERS, *PLATFORM), "healthy"
    )


def test_every_worker_runs_without_rights_on_a_root_that_it_cannot_write(compose: Compose) -> None:
    for service in WORKERS:
        container = compose.container(service)
        host = container.attrs["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert container.exec_run("id -u").output.strip() == b"10001"
    assert compose.container("kafka").exec_run("id -u").output.strip() != b"0"


def test_status_and_doctor_find_the_instance_well(compose: Compose) -> None:
    assert all(f"{service}-0" in compose.type(STATUS) for service in WORKERS)
    assert "✗" not in compose.type(DOCTOR)


def test_the_demo_plays_on_the_running_instance_and_its_books_balance(compose: Compose) -> None:
    compose.type(DEMO)


def test_a_claim_goes_from_the_partner_to_a_mail_that_mailpit_shows(compose: Compose) -> None:
    claim = file_claim(compose, "c-1")
    compose.until(lambda: mailed(compose, "c-1") != [], "the customer's mail")
    assert compose.cpor("claims", "show", claim)["status"] == "submitted"


def test_a_killed_worker_is_started_again_and_goes_on(compose: Compose) -> None:
    before = compose.container("review").attrs["RestartCount"]
    compose.type("docker compose exec -T review sh -c 'kill -9 -1'", code=None)  # the shell may die with the container
    compose.until(lambda: compose.container("review").attrs["RestartCount"] > before, "another start")
    compose.until(lambda: compose.health("review") == "healthy", "a healthy worker")
    file_claim(compose, "c-2")
    compose.until(lambda: mailed(compose, "c-2") != [], "the customer's mail")


def test_a_second_worker_on_the_same_slot_gives_way_and_the_first_goes_on(compose: Compose) -> None:
    said = compose.type("docker compose run --rm -T review 2>&1", code=72)
    assert "another process holds this slot" in said
    assert compose.health("review") == "healthy"


def test_an_instance_that_was_taken_down_goes_on_with_its_claims_clock_and_keys(compose: Compose) -> None:
    claim = file_claim(compose, "c-3")
    key = compose.container("consent").exec_run("cat /keys/consent-key").output
    compose.type(DOWN)
    compose.start(UP_ON_TEST_CLOCK)
    assert compose.cpor("claims", "show", claim)["status"] == "submitted"
    assert compose.container("consent").exec_run("cat /keys/consent-key").output == key
    assert "test clock" in compose.type(STATUS)
