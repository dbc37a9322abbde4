"""`python -m services.review --slot 0 --data DIR`: one worker of the review group."""

from __future__ import annotations

from cpor.runtime.main import start
from cpor.runtime.settings import Settings
from services.review.worker import Review


def build(settings: Settings) -> Review:
    """The processor of this process."""
    return Review(settings.claims_partitions)


if __name__ == "__main__":
    start("review", build)
