"""What an instance's workers are told beside where things are; kept with its data for the next start."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.files import write_private
from cpor.devstack.mail import mail_dir, sink_port
from cpor.devstack.ports import LOOPBACK, kept_ports
from cpor.ops.errors import WrongUse
from cpor.runtime.topics import Count

FILE = "settings.json"
CONSENT_KEY = "CPOR_CONSENT_KEY"
BOUNCES = "CPOR_BOUNCES"
SHORTEST_KEY = 32
#: Where the customers' page listens; its address is kept with the data, for links that are out lead there.
CONSENT_LISTEN = "CPOR_CONSENT_LISTEN"
#: What holds on one machine unless the environment says otherwise; configuration.md tells of each.
USUAL: Mapping[str, str] = {
    "CPOR_GRACE_MS": "1000",
    "CPOR_MAIL_FROM": "CPOR claims <no-reply@cpor.example>",
    "CPOR_MAIL_REPLY_TO": "claims@cpor.example",
    "CPOR_OPERATIONS_MAIL": "operations@cpor.example",
    "CPOR_BOUNCES_SECONDS": "1",
}
#: Under a test clock all instants are this machine's, the broker's too: nothing differs that the grace allows for, and
#: what was received before an instant is on its topic a moment later.
TESTED: Mapping[str, str] = {**USUAL, "CPOR_GRACE_MS": "200"}


def keep_settings(
    data: Path,
    counts: Mapping[str, int],
    environment: Mapping[str, str] = os.environ,
    *,
    bounces: str = "",
    tested: bool = False,
) -> None:
    """Write down what the workers of this run are told (mode 0600: it holds a secret). `bounces` is the mailbox to
    which mails come back, unless the environment names one. `tested`: the instance has a test clock.

    The key of the customers' links is made once for a data directory: another one voids every link that is out.
    Raises WrongUse where the environment names one that is too short.
    """
    key = environment.get(CONSENT_KEY) or read_settings(data).get(CONSENT_KEY) or secrets.token_urlsafe(SHORTEST_KEY)
    check_key(key)
    settings = {name: environment.get(name) or usual for name, usual in (TESTED if tested else USUAL).items()} | {
        CONSENT_KEY: key,
        CONSENT_LISTEN: page_listen(data, environment),
        "CPOR_CLAIMS_PARTITIONS": str(counts[Count.CLAIMS]),
        "CPOR_PARTNERS_PARTITIONS": str(counts[Count.PARTNERS]),
        BOUNCES: environment.get(BOUNCES) or bounces,
    }
    write_private(data / FILE, json.dumps(settings, indent=2) + "\n")


def page_listen(data: Path, environment: Mapping[str, str] = os.environ) -> str:
    """`host:port` of the customers' page; asked before it listens there."""
    named = environment.get(CONSENT_LISTEN)
    if named:
        return named
    data.mkdir(parents=True, exist_ok=True)
    return f"{LOOPBACK}:{kept_ports(data / 'consent-port.json', ['consent-page'])['consent-page']}"


def check_key(keys: str) -> None:
    """Several have commas between them. Raises WrongUse where one could be guessed."""
    if any(len(each.strip()) < SHORTEST_KEY for each in keys.split(",")):
        raise WrongUse(f"{CONSENT_KEY} takes {SHORTEST_KEY} characters or more")


def read_settings(data: Path) -> dict[str, str]:
    """Variable → value; empty where the instance's workers were started by somebody else."""
    try:
        settings: dict[str, str] = json.loads((data / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return settings


def posted(endpoints: Endpoints, environment: Mapping[str, str] = os.environ) -> Endpoints:
    """With where mails go: to the server that CPOR_SMTP names, to the platform's own, or to a sink of this instance;
    and where their links lead.
    """
    page = environment.get("CPOR_CONSENT_URL") or endpoints.consent_url
    page = page or f"http://{page_listen(endpoints.data_dir, environment)}/"
    named = environment.get("CPOR_SMTP")
    if named and not environment.get("CPOR_MAIL_DIR"):  # with it, it is the sink of an instance, from its `cpor env`
        url = environment.get("CPOR_MAIL_URL", "")
        return replace(endpoints, smtp=named, mail_dir="", mail_url=url, consent_url=page)
    if endpoints.smtp and not endpoints.mail_dir:
        return replace(endpoints, consent_url=page)
    data = endpoints.data_dir
    smtp = f"{LOOPBACK}:{sink_port(data)}"
    return replace(endpoints, smtp=smtp, mail_dir=str(mail_dir(data)), mail_url="", consent_url=page)
