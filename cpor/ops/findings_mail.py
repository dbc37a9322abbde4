"""Whether mails can go out, and whether the services are told all they need to know (configuration.md)."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from cpor.ops.findings import Finding, bad, good, warn
from cpor.ops.instance import Instance
from cpor.runtime.errors import Misconfigured
from cpor.runtime.health import ROUNDS
from cpor.runtime.mailserver import Server, Tls

SMTP_SECONDS = 5.0
NOT_LET_IN = "see to CPOR_SMTP_USER, CPOR_SMTP_PASSWORD and CPOR_SMTP_TLS; mails wait meanwhile, for 48 hours"


class Needed(NamedTuple):
    """A setting; without it a worker does not start (`must`), or something is not told."""

    variable: str
    must: bool
    without: str


NEEDED: tuple[Needed, ...] = (
    Needed("CPOR_CONSENT_KEY", True, "consent does not start: set a secret of 32 characters or more, and keep it"),
    Needed("CPOR_SMTP", True, "no mail goes out: set the mail server's host:port"),
    Needed("CPOR_CONSENT_URL", False, "notices ask for an answer by mail: set the page where customers answer"),
    Needed("CPOR_BOUNCES", False, "nobody notices a mail that comes back after its delivery: name the mailbox"),
    Needed("CPOR_OPERATIONS_MAIL", False, "nobody hears of deadlines that reviewers missed: set an address"),
)


def settings_findings(instance: Instance, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """What the workers are told: by `cpor up`, else, as far as can be seen from here, by the environment."""
    known = {**environment, **{name: value for name, value in instance.env().items() if value}}
    missing = [each for each in NEEDED if not known.get(each.variable) and not known.get(f"{each.variable}_FILE")]
    for each in missing:
        yield (bad if each.must else warn)(each.variable, "not set", each.without)
    if not missing:
        yield good("settings", ", ".join(each.variable for each in NEEDED))


def bounce_findings(instance: Instance) -> Iterator[Finding]:
    """Whether the mailbox of bounces is read, and whether somebody has to look into it."""
    from cpor.ops.figures import BOUNCES, read_workers  # slow to import

    for each in read_workers(instance):
        if each.service != BOUNCES or each.ended or each.unwell:
            continue
        unknown = each.counts.get("unknown", 0)
        if each.state not in ROUNDS:
            todo = (
                f"read {instance.data / 'logs' / f'{each.service}-{each.slot}.log'}; mails in it wait until it is read"
            )
            yield warn("mailbox of bounces", f"{each.service}-{each.slot} is {each.state}", todo)
        elif unknown:
            todo = "look into its folder `unknown`; what came back for good: cpor ops resend-notice; then move it away"
            yield warn("mailbox of bounces", f"{unknown:,} mails that nobody understands", todo)
        else:
            yield good("mailbox of bounces", f"read; {each.counts.get('bounced', 0):,} mails came back")


def mail_findings(instance: Instance, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Whether the mail server lets us in, as far as can be seen from here: what it thinks of a mail only a mail can
    tell.
    """
    if not instance.endpoints.smtp:
        return
    try:
        server = Server.read({**environment, "CPOR_SMTP": instance.endpoints.smtp})
    except Misconfigured as fault:
        yield bad("mail server", str(fault), "set it right where delivery is started; it does not start like this")
        return
    yield _greeting(replace(server, seconds=SMTP_SECONDS))
    yield from _refusals(instance)


def _greeting(server: Server) -> Finding:
    address = f"{server.host}:{server.port}"
    try:
        with server.connect() as connection:
            connection.noop()
    except smtplib.SMTPAuthenticationError as fault:
        return bad("mail server", f"{address} does not let us in: {fault.smtp_code}", NOT_LET_IN)
    except ssl.SSLError as fault:
        todo = "see that CPOR_SMTP_TLS is what it speaks, and CPOR_SMTP_CA names who signed its certificate"
        return bad("mail server", f"{address}: {fault.reason or type(fault).__name__}", todo)
    except (OSError, smtplib.SMTPException) as fault:
        todo = "see that it runs and takes connections from here; mails wait and are sent again until it does"
        return bad("mail server", f"{address}: {type(fault).__name__}", todo)
    entered = {Tls.OFF: ""}.get(server.tls, f", {server.tls}") + (f", as {server.user}" if server.user else "")
    return good("mail server", f"{address} greets{entered}")


def _refusals(instance: Instance) -> Iterator[Finding]:
    """What delivery met, which may have been told more than we were."""
    from cpor.ops.figures import DELIVERY, read_workers  # slow to import

    for each in read_workers(instance):
        refused = each.counts.get("refused", 0) if each.service == DELIVERY else 0
        if refused:
            found = f"the mail server has not let us in {refused:,} times since the last mail that went out"
            log = instance.data / "logs" / f"{each.service}-{each.slot}.log"
            yield bad(f"{each.service}-{each.slot}", found, f"{NOT_LET_IN}; its words stand in {log}")
