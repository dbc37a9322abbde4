"""A delivery process with a bug: it fails on mails to `boom@…`."""

from __future__ import annotations

import sys

from cpor.runtime.faust_app import Limits, Send, run
from cpor.runtime.health import Health
from cpor.runtime.mailserver import Server
from cpor.runtime.record import Record
from cpor.runtime.settings import Settings
from services.notify.delivery import SERVICE, Delivery, app_of, ledger_of
from services.notify.smtp import Post


def main() -> None:
    settings = Settings.read(SERVICE, sys.argv[1:])
    ledger = ledger_of(settings)
    deliver = Delivery(Post(Server.read()).send, settings.clock(), ledger)

    async def handle(record: Record, send: Send) -> None:
        if b"boom@" in (record.value or b""):
            raise KeyError("a bug")
        await deliver(record, send)

    run(app_of(settings, handle, Limits(), 1, ledger), Health(SERVICE, settings.slot), Limits())


if __name__ == "__main__":
    main()
