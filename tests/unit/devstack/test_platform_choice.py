"""Which platform is used, and what is said where there is none."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cpor.devstack import platform
from cpor.devstack.endpoints import Endpoints, endpoints_from_env, record_of, saved_endpoints
from cpor.devstack.errors import PlatformError
from cpor.devstack.jars import java_version

ENVIRONMENT = {
    "CPOR_KAFKA_BOOTSTRAP": "broker:9092",
    "CPOR_S3_ENDPOINT": "http://store:8333",
    "CPOR_S3_ACCESS_KEY": "key",
    "CPOR_S3_SECRET_KEY": "secret",
}


def machine(monkeypatch: pytest.MonkeyPatch, *, embedded: bool, docker: bool) -> None:
    """Stands in for another machine: this one cannot lose its Java."""
    monkeypatch.delenv("CPOR_PLATFORM", raising=False)
    monkeypatch.setattr(platform, "embedded_possible", lambda: embedded)
    monkeypatch.setattr(platform, "docker_unavailable", lambda: None if docker else "nobody answers")


@pytest.mark.parametrize(
    ("embedded", "docker", "chosen"),
    [(True, True, "embedded"), (True, False, "embedded"), (False, True, "docker")],
)
def test_embedded_comes_first_and_docker_where_it_cannot_run(
    monkeypatch: pytest.MonkeyPatch, *, embedded: bool, docker: bool, chosen: str
) -> None:
    machine(monkeypatch, embedded=embedded, docker=docker)
    assert platform.choose_platform() == chosen


def test_a_machine_with_nothing_gets_one_message_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, embedded=False, docker=False)
    with pytest.raises(PlatformError) as refusal:
        platform.choose_platform()
    assert all(word in str(refusal.value) for word in ("Java 17", "Maven", "Docker", "CPOR_PLATFORM=external"))


def test_a_named_platform_overrules_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, embedded=True, docker=True)
    monkeypatch.setenv("CPOR_PLATFORM", "external")
    assert platform.choose_platform() == "external"


def test_a_misspelt_platform_is_refused_with_the_names_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPOR_PLATFORM", "podman")
    with pytest.raises(PlatformError, match="'podman'; it can be embedded, docker, external"):
        platform.choose_platform()


def test_a_program_that_is_no_java_counts_as_no_java() -> None:
    assert java_version("/bin/false") is None


def test_an_external_platform_needs_all_its_variables_and_names_those_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"CPOR_S3_ACCESS_KEY, CPOR_S3_SECRET_KEY$"):
        endpoints_from_env(tmp_path, {name: value for name, value in ENVIRONMENT.items() if "KEY" not in name})


def test_endpoints_lead_their_readers_back_to_the_same_platform(tmp_path: Path) -> None:
    endpoints = endpoints_from_env(tmp_path, ENVIRONMENT)
    assert endpoints_from_env(tmp_path, endpoints.env()) == endpoints


def test_recorded_endpoints_are_found_by_other_commands_and_kept_from_other_users(tmp_path: Path) -> None:
    endpoints = endpoints_from_env(tmp_path, ENVIRONMENT)
    endpoints.save()
    assert saved_endpoints(tmp_path) == endpoints
    assert stat.S_IMODE(record_of(tmp_path).stat().st_mode) == 0o600


def test_no_instance_means_no_endpoints(tmp_path: Path) -> None:
    assert saved_endpoints(tmp_path) is None


def test_an_external_platform_is_recorded_only_while_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ENVIRONMENT, "CPOR_PLATFORM": "external"}.items():
        monkeypatch.setenv(name, value)
    with platform.open_platform(tmp_path) as endpoints:
        assert (
            saved_endpoints(tmp_path)
            == endpoints
            == Endpoints("broker:9092", "http://store:8333", "key", "secret", tmp_path)
        )
    assert saved_endpoints(tmp_path) is None
