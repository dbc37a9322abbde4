"""Whether customers find the page that the links of their notices lead to."""

from __future__ import annotations

from collections.abc import Iterator

import urllib3

from cpor.ops.findings import Finding, good, warn
from cpor.ops.instance import Instance

SECONDS = 5.0


def page_findings(instance: Instance) -> Iterator[Finding]:
    """Asked as from here: customers may come another way."""
    page = instance.endpoints.consent_url
    if not page:
        return
    try:
        told = urllib3.request("GET", f"{page.partition('?')[0].rstrip('/')}/readyz", timeout=SECONDS, retries=False)
    except urllib3.exceptions.HTTPError as fault:
        found = f"{page}: {type(fault).__name__}"
        yield warn("customer's page", found, "see that it runs, and that customers reach it at CPOR_CONSENT_URL")
        return
    if told.status == 200:
        yield good("customer's page", f"{page} is ready")
    else:
        yield warn("customer's page", f"{page} answers {told.status}", "read the log of consent-page")
