"""What is prepared for workers in containers: secrets that are made up once, and a clock that stays what it is."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from cpor.ops.errors import Refused, WrongUse
from cpor.ops.instance import CLOCK_FILE
from cpor.ops.running import Plan
from cpor.ops.setup import KEYS, S3_IDENTITIES, check_clock_stays, keep, keys
from cpor.runtime.clock import TestClock
from cpor.runtime.errors import Misconfigured
from cpor.runtime.settings import Settings, with_secrets

NAMES = sorted(name for name, _ in KEYS.values())


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in KEYS:
        monkeypatch.delenv(variable, raising=False)


def held(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text().strip() for name in NAMES}


def test_keys_are_made_up_once_and_the_next_start_finds_them(tmp_path: Path) -> None:
    keys(tmp_path)
    first = held(tmp_path)
    keys(tmp_path)
    assert held(tmp_path) == first
    assert len(set(first.values())) == 3
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600 for name in NAMES)


def test_a_key_that_the_environment_names_replaces_the_one_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys(tmp_path)
    monkeypatch.setenv("CPOR_CONSENT_KEY", "k" * 32)
    keys(tmp_path)
    assert held(tmp_path)["consent-key"] == "k" * 32


def test_the_store_knows_the_same_keys_and_no_others(tmp_path: Path) -> None:
    keys(tmp_path)
    told = json.loads((tmp_path / S3_IDENTITIES).read_text())
    pair = {"accessKey": held(tmp_path)["s3-access-key"], "secretKey": held(tmp_path)["s3-secret-key"]}
    assert [each["credentials"] for each in told["identities"]] == [[pair]]


@pytest.mark.parametrize("key", ["short", f"{'k' * 32},short"])
def test_a_consent_key_that_is_too_short_is_refused_before_any_worker_starts(tmp_path: Path, key: str) -> None:
    with pytest.raises(WrongUse, match="CPOR_CONSENT_KEY"):
        keep(tmp_path / "consent-key", "CPOR_CONSENT_KEY", str, {"CPOR_CONSENT_KEY": key})
    assert not (tmp_path / "consent-key").exists()


def test_a_worker_finds_a_secret_in_the_file_that_the_environment_names(tmp_path: Path) -> None:
    keys(tmp_path)
    env = {"CPOR_KAFKA_BOOTSTRAP": "kafka:9092", "CPOR_CONSENT_KEY_FILE": str(tmp_path / "consent-key")}
    assert Settings.read("consent", [], env).consent_key == held(tmp_path)["consent-key"]


def test_a_secret_that_the_environment_names_itself_goes_before_its_file(tmp_path: Path) -> None:
    keys(tmp_path)
    env = {"CPOR_S3_SECRET_KEY": "own", "CPOR_S3_SECRET_KEY_FILE": str(tmp_path / "s3-secret-key")}
    assert with_secrets(env)["CPOR_S3_SECRET_KEY"] == "own"
    assert with_secrets(env | {"CPOR_S3_SECRET_KEY": ""})["CPOR_S3_SECRET_KEY"] == held(tmp_path)["s3-secret-key"]


def test_a_file_of_a_secret_that_is_not_there_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"CPOR_CONSENT_KEY_FILE names .*nowhere"):
        with_secrets({"CPOR_CONSENT_KEY_FILE": "nowhere"})


def test_workers_are_not_started_on_the_systems_clock_where_a_test_clock_ran(tmp_path: Path) -> None:
    check_clock_stays(Plan(tmp_path))
    TestClock(tmp_path / CLOCK_FILE).set(1_772_438_400_000)
    check_clock_stays(Plan(tmp_path, test_clock="2026-03-02"))
    with pytest.raises(Refused, match="CPOR_TEST_CLOCK"):
        check_clock_stays(Plan(tmp_path))
