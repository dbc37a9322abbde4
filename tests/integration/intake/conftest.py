from __future__ import annotations

from collections.abc import Iterator

import pytest

from cpor.devstack.endpoints import Endpoints
from services.intake.poe.check import DocumentChecker
from services.intake.poe.limits import P2023
from services.intake.poe.store import PoeStore
from tests.integration.intake.s3 import address_of


@pytest.fixture(scope="module")
def store(platform: Endpoints) -> Iterator[PoeStore]:
    store = PoeStore(address_of(platform))
    yield store
    store.close()


@pytest.fixture(scope="module")
def checker(store: PoeStore) -> Iterator[DocumentChecker]:
    checker = DocumentChecker(store, P2023)
    yield checker
    checker.close()
