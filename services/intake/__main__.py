"""`python -m services.intake --slot 0 --data DIR`: one worker of the intake group."""

from __future__ import annotations

from cpor.domain.policy import policy
from cpor.domain.vocabulary import Edition
from cpor.runtime.main import start
from cpor.runtime.settings import Settings
from services.intake.poe.check import DocumentChecker
from services.intake.poe.limits import limits_for
from services.intake.poe.store import PoeStore, StoreAddress
from services.intake.worker import Intake


def build(settings: Settings) -> Intake:
    """The processor of this process. Both editions have the same limits of documents (D21)."""
    address = StoreAddress(
        endpoint=settings.s3_endpoint or None,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        bucket=settings.s3_bucket,
        region=settings.s3_region,
    )
    rule = policy(Edition.P2023).documents
    store, limits = PoeStore(address), limits_for(rule.types, rule.max_bytes, rule.max_per_claim)
    return Intake(
        DocumentChecker(store, limits), store, limits, settings.claims_partitions, settings.partners_partitions
    )


if __name__ == "__main__":
    start("intake", build)
