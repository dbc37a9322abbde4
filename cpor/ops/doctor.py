"""`cpor doctor`: what is missing or misconfigured, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import typer
from rich.text import Text

from cpor.ops import screen
from cpor.ops.errors import Exit, NotReachable
from cpor.ops.findings import Finding, Verdict, bad, good, warn
from cpor.ops.findings_broker import broker_findings
from cpor.ops.findings_machine import machine_findings
from cpor.ops.findings_mail import bounce_findings, mail_findings, settings_findings
from cpor.ops.findings_page import page_findings
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance

STYLES = {Verdict.GOOD: ("✓", "green"), Verdict.WARN: ("!", "yellow"), Verdict.BAD: ("✗", "bright_red")}


def doctor(data: DataDir = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Check this machine, the platform and the topics; exit 1 when something must be done."""
    findings = list(examine(data))
    if as_json:
        screen.print_json([asdict(each) for each in findings])
    else:
        screen.out().print(screen.table(None, ["", "what", "found", "what to do"], map(_row, findings)))
    if any(each.verdict is Verdict.BAD for each in findings):
        raise typer.Exit(Exit.REFUSED)


def examine(data: Path) -> Iterator[Finding]:
    """Findings about this machine, then about the instance where one runs."""
    yield from machine_findings()
    try:
        instance = find_instance(data)
    except NotReachable as fault:
        yield warn("instance", "none runs", str(fault))
        return
    yield good("instance", f"Kafka {instance.endpoints.kafka_bootstrap}, data {instance.data}")
    for examine_part in PARTS:
        yield from guarded(examine_part, instance)


def guarded(part: Callable[[Instance], Iterable[Finding]], instance: Instance) -> Iterator[Finding]:
    """One part that cannot be examined must not hide the others."""
    try:
        yield from part(instance)
    except Exception as fault:
        name = part.__name__.removesuffix("_findings")
        yield bad(name, f"cannot be examined: {type(fault).__name__}", "see that it runs and can be reached from here")


def store_findings(instance: Instance) -> Iterator[Finding]:
    """The bucket of contract §6: there, and versioned."""
    import boto3  # slow to import
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    told = instance.endpoints
    client = boto3.client(
        "s3",
        endpoint_url=told.s3_endpoint,
        aws_access_key_id=told.s3_access_key,
        aws_secret_access_key=told.s3_secret_key,
        region_name=told.s3_region,
        config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1}),
    )
    try:
        versioning = client.get_bucket_versioning(Bucket=told.s3_bucket).get("Status")
    except (BotoCoreError, ClientError) as fault:
        todo = f"see that S3 runs at {told.s3_endpoint} and that the keys may use the bucket {told.s3_bucket}"
        yield bad("S3 bucket", f"{told.s3_bucket}: {type(fault).__name__}", todo)
        return
    if versioning == "Enabled":
        yield good("S3 bucket", f"{told.s3_bucket}, versioned")
    else:
        yield bad(
            "S3 bucket",
            f"{told.s3_bucket} is not versioned",
            "enable versioning: accepted documents must not be overwritten",
        )


def worker_findings(instance: Instance) -> Iterator[Finding]:
    from cpor.ops.figures import READERS, read_workers

    workers = [each for each in read_workers(instance) if not each.ended]
    unwell = [each for each in workers if each.unwell]
    for each in unwell:
        log = instance.data / "logs" / f"{each.service}-{each.slot}.log"
        yield bad(f"{each.service}-{each.slot}", each.why or each.state, f"read {log}")
    if workers and not unwell:
        yield good("workers", ", ".join(f"{each.service}-{each.slot}" for each in workers))
    absent = [service for service in READERS if service not in {each.service for each in workers}]
    if absent:
        told = "start them with `cpor up`, or look where they run"
        yield warn("workers", f"none has told of itself here: {', '.join(absent)}", told)


def _row(finding: Finding) -> list[Text | str]:
    sign, style = STYLES[finding.verdict]
    return [Text(sign, style=style), finding.what, finding.found, finding.todo or ""]


PARTS: tuple[Callable[[Instance], Iterable[Finding]], ...] = (
    broker_findings,
    store_findings,
    mail_findings,
    bounce_findings,
    page_findings,
    settings_findings,
    worker_findings,
)
