"""`python -m services.deadlines --slot 0 --data DIR`: one worker of the deadlines group."""

from __future__ import annotations

from cpor.runtime.main import start
from cpor.runtime.settings import Settings
from services.deadlines.worker import Deadlines


def build(settings: Settings) -> Deadlines:
    """The processor of this process."""
    return Deadlines(settings.claims_partitions, settings.grace_ms)


if __name__ == "__main__":
    start("deadlines", build)
