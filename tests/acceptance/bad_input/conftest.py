"""One running pipeline for all tests of bad input."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cpor.domain.vocabulary import Status, parse_instant
from tests.acceptance.bad_input.statuses import Editions, claims_in_every_status
from tests.acceptance.bad_input.world import NEW_DAYS, Claim, World, open_world


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("bad-input")) as opened:
        yield opened


@pytest.fixture(scope="package")
def claims(world: World) -> Editions:
    """A claim in every status of both editions; afterwards it is fourteen days later, under the newer edition."""
    old = claims_in_every_status(world, [each for each in Status if each is not Status.REJECTED_FINAL])
    world.set_clock(parse_instant(NEW_DAYS))
    return {"P2020": old, "P2023": claims_in_every_status(world, list(Status))}


@pytest.fixture(scope="package")
def draft(world: World, claims: Editions) -> Claim:
    """What most bad records are about."""
    return world.drafted()
