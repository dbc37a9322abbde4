"""Several delivery processes at once: one is added, killed or frozen; no mail is lost, and none comes in two forms."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from tests.integration.notify.group import Group
from tests.integration.notify.kills import killed_at_random

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def group(platform: Endpoints, tmp_path: Path) -> Iterator[Group]:
    made = Group(platform.kafka_bootstrap, tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_a_process_that_is_added_shares_the_work_and_nothing_is_sent_twice_for_it(group: Group) -> None:
    """A planned change: what has begun is ended and told of before the partitions go, and the new owner asks first."""
    group.start("0")
    group.feed(400)
    group.until(lambda: group.arrived() >= 40)
    group.start("1")
    group.until_owned("0", "1")
    group.feed(200)
    group.until_told()
    assert group.audit() == 0
    assert all(told is not None and told["counts"]["delivered"] > 0 for told in map(group.health, "01"))


def test_a_process_that_is_killed_loses_nothing_to_the_one_that_is_left(group: Group) -> None:
    group.start("0", "1")
    group.until_owned("0", "1")
    group.feed(400)
    group.until(lambda: group.arrived() >= 40)
    group.slots["1"].kill()
    group.until_owned("0")
    group.feed(100)
    group.until_told()
    # What the killed one had handed over and not told of yet: as many as it has connections.
    assert group.audit() <= 8


def test_processes_that_are_killed_at_random_and_started_again_go_on_where_they_were(group: Group) -> None:
    """`python -m tests.integration.notify.kills` does the same with 5,000 mails."""
    toll = killed_at_random(group, 400, seed=3, furthest=150)
    assert toll.kills >= 3
    # What a killed one had handed over and not told of yet: as many as it has connections.
    assert toll.doubles <= toll.kills * 8


def test_a_frozen_process_that_wakes_up_after_its_partitions_went_repeats_at_most_what_it_held(group: Group) -> None:
    group.start("0", "1")
    group.until_owned("0", "1")
    group.feed(400)
    group.until(lambda: group.arrived() >= 40)
    group.slots["1"].send_signal(signal.SIGSTOP)
    group.until_owned("0")
    group.feed(100)
    group.until_told()
    group.slots["1"].send_signal(signal.SIGCONT)
    group.until(lambda: group.owns("1") != [] or group.slots["1"].poll() is not None, 90)
    if group.slots["1"].poll() is not None:  # it may also end itself, and is started again
        group.start("1")
    group.until_owned("0", "1")
    group.feed(100)
    group.until_told()
    # What it was handing over when it was frozen: before it begins anything else it finds out that it was replaced.
    assert group.audit() <= 8
