"""The mails that an instance sent: from the embedded sink's directory, or from Mailpit over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

from cpor.devstack.mail import Received, parsed, received
from cpor.ops.errors import NotReachable, Refused
from cpor.ops.instance import Instance

#: Mails that one question to Mailpit asks for.
PAGE = 200
#: How long one answer of Mailpit is waited for.
SECONDS = 10.0


def read_mails(instance: Instance) -> list[Received]:
    """All mails, in the order in which they came; one that came twice stands there twice.

    Raises Refused where somebody else's server takes them, NotReachable where Mailpit does not answer.
    """
    endpoints = instance.endpoints
    if endpoints.mail_url:
        return mails_of_mailpit(endpoints.mail_url)
    if endpoints.mail_dir:
        return received(Path(endpoints.mail_dir))
    raise Refused(
        f"the mails of this instance go to {endpoints.smtp or 'a server that is not named here'}: "
        "only the embedded sink (CPOR_MAIL_DIR) and Mailpit (CPOR_MAIL_URL) can be read"
    )


def mails_of_mailpit(url: str) -> list[Received]:
    """Mailpit lists the newest first; what it has thrown away since the listing is left out."""
    found = ((name, _raw(url, name)) for name in reversed(list(_names(url))))
    return [Received(Path(f"{name}.eml"), parsed(raw)) for name, raw in found if raw is not None]


def _names(url: str) -> Iterator[str]:
    """Mailpit's ids, each once: a mail that comes meanwhile moves the others on."""
    seen: set[str] = set()
    start = 0
    while page := json.loads(_get(url, f"api/v1/messages?start={start}&limit={PAGE}"))["messages"]:
        names = [str(each["ID"]) for each in page]
        yield from (name for name in names if name not in seen)
        seen.update(names)
        start += len(page)


def _raw(url: str, name: str) -> bytes | None:
    try:
        return _get(url, f"api/v1/message/{quote(name, safe='')}/raw")
    except HTTPError as fault:
        if fault.code == 404:
            return None
        raise NotReachable(f"Mailpit at {url} does not give its mails: {fault}") from None


def _get(url: str, path: str) -> bytes:
    if urlsplit(url).scheme not in ("http", "https"):
        raise Refused(f"CPOR_MAIL_URL is Mailpit's address, such as http://localhost:8025, not {url}")
    try:
        with urlopen(f"{url.rstrip('/')}/{path}", timeout=SECONDS) as answer:
            content: bytes = answer.read()
            return content
    except HTTPError:
        raise
    except (OSError, HTTPException) as fault:
        raise NotReachable(f"Mailpit does not answer at {url} ({fault}): is it running?") from None
