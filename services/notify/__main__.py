"""`python -m services.notify --slot 0 --data DIR`: one worker of the notify group."""

from __future__ import annotations

import os

from cpor.runtime.main import start
from cpor.runtime.settings import Settings
from services.notify import drafts
from services.notify.worker import Notify


def build(settings: Settings) -> Notify:
    """The processor of this process."""
    return Notify(
        drafts.Settings(
            partitions=settings.claims_partitions,
            consent_url=os.environ.get("CPOR_CONSENT_URL", ""),
            operations=os.environ.get("CPOR_OPERATIONS_MAIL", ""),
            language=os.environ.get("CPOR_OPERATIONS_LANGUAGE") or None,
        )
    )


if __name__ == "__main__":
    start("notify", build)
