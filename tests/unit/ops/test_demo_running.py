"""Where the demo plays: on which running instances it does not (issue of the demo)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.domain.vocabulary import parse_instant
from cpor.ops.demo.command import check_running, home
from cpor.ops.errors import Refused
from cpor.ops.instance import Instance
from cpor.runtime.clock import TestClock


def instance(folder: Path, shown: str | None) -> Instance:
    """One that nobody has to reach: it is refused for its clock."""
    endpoints = Endpoints(
        kafka_bootstrap="127.0.0.1:1",
        s3_endpoint="http://127.0.0.1:1",
        s3_bucket="poe",
        s3_access_key="a",
        s3_secret_key="b",
        data_dir=folder,
    )
    if shown is None:
        return Instance(endpoints)
    clock = TestClock(folder / "clock.json")
    clock.set(parse_instant(shown))
    return Instance(endpoints, clock.path)


def test_an_instance_on_the_systems_clock_is_refused_for_days_could_not_pass(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="system's clock"):
        check_running(instance(tmp_path, None))


@pytest.mark.parametrize("shown", ["2023-10-09T23:00:00Z", "2028-11-01T00:00:00Z"])
def test_an_instance_in_the_years_of_other_rules_is_refused(tmp_path: Path, shown: str) -> None:
    with pytest.raises(Refused, match="P2023"):
        check_running(instance(tmp_path, shown))


def test_a_directory_that_is_in_use_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Refused, match="not empty"), home(tmp_path):
        raise AssertionError("never entered")
    assert (tmp_path / "notes.txt").read_text() == "mine"
