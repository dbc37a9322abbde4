"""`python -m services.consent --slot 0 --data DIR`: one worker of the consent group."""

from __future__ import annotations

from cpor.runtime.main import start
from cpor.runtime.settings import Settings
from services.consent.tokens import Tokens
from services.consent.worker import Consent


def build(settings: Settings) -> Consent:
    """The processor of this process. Raises Misconfigured where the key of the links is missing."""
    return Consent(settings.claims_partitions, settings.grace_ms, Tokens(settings.consent_key))


if __name__ == "__main__":
    start("consent", build)
