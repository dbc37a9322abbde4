"""What consent and deadlines are told at their start."""

from __future__ import annotations

import pytest

from cpor.runtime.errors import Misconfigured
from cpor.runtime.settings import Settings
from services.consent.__main__ import build as consent
from services.deadlines.__main__ import build as deadlines

ENVIRONMENT = {"CPOR_KAFKA_BOOTSTRAP": "localhost:1", "CPOR_CONSENT_KEY": "k" * 32, "CPOR_GRACE_MS": "1000"}


def told(service: str, **changes: str) -> Settings:
    return Settings.read(service, [], ENVIRONMENT | changes)


def test_both_are_built_from_their_settings() -> None:
    assert consent(told("consent")).service == "consent"
    assert deadlines(told("deadlines")).service == "deadlines"


def test_without_a_key_for_its_links_consent_does_not_start() -> None:
    with pytest.raises(Misconfigured, match="CPOR_CONSENT_KEY"):
        consent(told("consent", CPOR_CONSENT_KEY=""))


def test_the_key_of_the_links_is_never_shown_with_the_settings() -> None:
    assert "k" * 32 not in repr(told("consent"))


def test_the_grace_is_a_minute_unless_it_is_told() -> None:
    assert Settings.read("deadlines", [], {"CPOR_KAFKA_BOOTSTRAP": "localhost:1"}).grace_ms == 60_000
    assert told("deadlines").grace_ms == 1_000
