"""`python -m services.consent.page --slot 0 --data DIR`: the customer's page, as one process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import structlog
import waitress

from cpor.runtime.errors import ExitCode, Misconfigured
from cpor.runtime.health import Health
from cpor.runtime.main import start_process
from cpor.runtime.settings import Settings
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.view import View
from cpor.runtime.watchdog import Watchdog
from services.consent.page.answering import Log
from services.consent.page.guard import USUAL, Rates
from services.consent.page.knowledge import SHAPE, Knowledge
from services.consent.page.web import LARGEST_BODY, Site, app_of
from services.consent.tokens import Tokens

SERVICE = "consent-page"
LISTEN = "127.0.0.1:8080"
THREADS = 16

log = structlog.get_logger("cpor.consent.page")


@dataclass(frozen=True, slots=True)
class Web:
    """Where the page listens and who stands before it; see docs/configuration.md."""

    host: str
    port: int
    proxies: int = 0
    contact: str = ""
    https: bool = False
    rates: Rates = USUAL

    @classmethod
    def read(cls, env: Mapping[str, str] = os.environ) -> Web:
        """Raises Misconfigured."""
        host, _, port = (env.get("CPOR_CONSENT_LISTEN") or LISTEN).rpartition(":")
        if not host or not port.isdigit():
            raise Misconfigured(f"CPOR_CONSENT_LISTEN must be host:port such as {LISTEN}")
        https = env.get("CPOR_CONSENT_URL", "").startswith("https://")
        contact = parseaddr(env.get("CPOR_MAIL_REPLY_TO", ""))[1]
        rates = Rates(address=_whole(env, "CPOR_CONSENT_RATE", USUAL.address))
        return cls(host, int(port), _whole(env, "CPOR_CONSENT_PROXIES", 0), contact, https, rates)


def _whole(env: Mapping[str, str], name: str, usual: int) -> int:
    told = env.get(name) or str(usual)
    if not told.isascii() or not told.isdigit():
        raise Misconfigured(f"{name} must be a whole number, not {told[:40]!r}")
    return int(told)


def serve(web: Web, settings: Settings, health: Health) -> None:
    """Until a signal asks for an end; requests that were begun are answered. Raises Misconfigured."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _stop)
    clock = settings.clock()
    watchdog = Watchdog(settings.watchdog_seconds)
    watchdog.start()
    transport = KafkaTransport(settings.kafka_bootstrap, clock)
    ended = ending(health)
    view = View(transport, settings.home / "view.sqlite", SHAPE, clock, health, watchdog.alive, ended)
    tokens, answers = Tokens(settings.consent_key), Log(transport)
    site = Site(Knowledge(view), tokens, answers, clock, settings.claims_partitions, web.contact, web.https, web.rates)
    server = listening(site, web)
    view.start()
    log.info("started", data=str(settings.home), listen=f"{web.host}:{web.port}")
    server.run()
    view.close()
    answers.close()
    watchdog.stop()


def listening(site: Site, web: Web) -> Any:
    """The HTTP server. Raises Misconfigured where the address is taken, or not of this machine."""
    try:
        return waitress.create_server(app_of(site), **options(web))
    except OSError as fault:
        raise Misconfigured(f"cannot listen on {web.host}:{web.port}: {fault.strerror}") from None


def options(web: Web) -> dict[str, object]:
    """What the HTTP server takes, and how much of it."""
    trusted = {
        "trusted_proxy": "*",
        "trusted_proxy_count": web.proxies,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
    }
    return {
        "host": web.host,
        "port": web.port,
        "threads": THREADS,
        "ident": None,
        "max_request_body_size": 4 * LARGEST_BODY,
        "max_request_header_size": 4 * LARGEST_BODY,
        "channel_timeout": 30,
        "connection_limit": 500,
        "clear_untrusted_proxy_headers": True,
        **(trusted if web.proxies else {}),
    }


def ending(health: Health) -> Callable[[Exception], NoReturn]:
    """A view that has ended ends the process: it would answer nobody any more."""

    def ended(fault: Exception) -> NoReturn:
        health.ended("stopped", str(fault))
        sys.stderr.flush()
        os._exit(ExitCode.STOPPED)

    return ended


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit


if __name__ == "__main__":
    start_process(SERVICE, lambda settings: partial(serve, Web.read()))
