"""What keeps the page safe: headers of every answer, limits for who asks too often, an access log without people."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from math import ceil

import structlog
from flask import Flask, Response, g, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

log = structlog.get_logger("cpor.consent.access")

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
}
STRICT_TRANSPORT = "max-age=31536000"


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests within a minute. Many people may stand behind one address, and so may scanners of mails."""

    address: int = 300
    answers_of_address: int = 60
    link: int = 60
    answers_of_link: int = 10
    wrong_links: int = 30


USUAL = Rates()


class Limiter:
    """Moving windows in this process's memory."""

    def __init__(self, rates: Rates) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._rates = {name: parse(f"{getattr(rates, name)}/minute") for name in Rates.__dataclass_fields__}

    def wait(self, kind: str, key: str) -> int | None:
        """Count one more request; None where it may go on, else in how many seconds to come again."""
        rate = self._rates[kind]
        return None if self._windows.hit(rate, kind, key) else self._left(rate, kind, key)

    def _left(self, rate: RateLimitItem, kind: str, key: str) -> int:
        found = self._windows.get_window_stats(rate, kind, key)
        return max(1, ceil(found.reset_time - time.time()))


def network(address: str | None) -> str:
    """The network that an address belongs to: who asks too often there is stopped together, and no person is named."""
    try:
        told = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    length = 24 if told.version == 4 else 48
    return str(ipaddress.ip_network(f"{told}/{length}", strict=False))


def source(address: str | None) -> str:
    """What is limited together: an address of IPv4, what one household has of IPv6."""
    try:
        told = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(told) if told.version == 4 else str(ipaddress.ip_network(f"{told}/64", strict=False))


def protect(app: Flask, *, https: bool) -> None:
    """Headers and the access log; `https`: people come by https only, whoever speaks it for us."""

    @app.before_request
    def begin() -> None:
        g.began = time.monotonic()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.update(HEADERS)
        if https or request.is_secure:
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
        response.headers.setdefault("Cache-Control", "no-store")
        _tell(response)
        return response


def _tell(response: Response) -> None:
    """No token, no whole address, no name of a browser: nothing that leads to a person."""
    took = round((time.monotonic() - g.get("began", time.monotonic())) * 1000)
    log.info(
        "request",
        method=request.method if request.method in ("GET", "HEAD", "POST", "OPTIONS") else "other",
        page=request.endpoint or "none",
        status=response.status_code,
        ms=took,
        network=network(request.remote_addr),
        outcome=g.get("outcome"),
    )
