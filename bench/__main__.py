"""`python -m bench throughput|filing|latency|mail|peers|all`: each on a platform of its own, with its conditions."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from bench import report
from bench.conditions import conditions
from bench.latency import latency as measure_latency
from bench.mail import PER_SECOND as MAILS_PER_SECOND
from bench.mail import WARM_UP, delivery_rate, mail_latency
from bench.stage import stage
from bench.throughput import Figure
from bench.throughput import filing as measure_filing
from bench.throughput import throughput as measure_throughput
from bench.world import World
from cpor.devstack.errors import PlatformError
from cpor.devstack.platform import PlatformKind

cli = typer.Typer(
    help="What the workers do on a real broker, and what a peer does beside them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]
Json = Annotated[
    Path | None, typer.Option("--json", help="Write figures and conditions; a bare name goes to bench/results.")
]
Platform = Annotated[PlatformKind | None, typer.Option(help="Where Kafka and S3 run; else as CPOR_PLATFORM says.")]
Profile = Annotated[
    bool, typer.Option("--profile", help="Also where the time of small commands goes (a little slower).")
]
Commands = Annotated[int, typer.Option(min=1_000, help="Small commands.")]
Claims = Annotated[int, typer.Option(min=10, help="Claims they are spread over.")]
Seconds = Annotated[float, typer.Option(min=5, help="How long 200 commands a second are sent.")]
Pairs = Annotated[int, typer.Option(min=1, help="Runs of each contender, in turns.")]


@cli.command()
def throughput(
    commands: Commands = 40_000,
    claims: Claims = 2_000,
    profile: Profile = False,
    json: Json = None,
    platform: Platform = None,
) -> None:
    """Commands per second of one process of intake and of review: drafts, small commands."""
    _measured(lambda: throughput_tables(claims, commands, profile), json, platform)


@cli.command()
def filing(claims: Claims = 1_500, json: Json = None, platform: Platform = None) -> None:
    """The same for cpor.claim.file.v1, without and with a document in the store."""
    _measured(lambda: filing_tables(claims), json, platform)


@cli.command()
def latency(seconds: Seconds = 30, claims: Claims = 500, json: Json = None, platform: Platform = None) -> None:
    """Message to receipt at 200 commands a second, intake and review as processes."""
    _measured(lambda: latency_tables(claims, seconds), json, platform)


@cli.command()
def mail(
    seconds: Annotated[float, typer.Option(min=5, help="How long 50 claims a second are sent.")] = 20,
    mails: Annotated[int, typer.Option(min=200, help="Mails of each turn.")] = 2_000,
    turns: Annotated[int, typer.Option(min=1, help="Turns of delivery and of bare smtplib.")] = 3,
    json: Json = None,
    platform: Platform = None,
) -> None:
    """Record to mail at 50 claims a second, all services as processes; and how fast mails go out."""
    _measured(lambda: mail_tables(seconds, mails, turns), json, platform)


@cli.command()
def peers(
    pairs: Pairs = 3, commands: Commands = 40_000, claims: Claims = 2_000, json: Json = None, platform: Platform = None
) -> None:
    """Review beside the same rules on Quix Streams, exactly-once."""
    _measured(lambda: peer_tables(claims, commands, pairs), json, platform)


@cli.command("all")
def everything(json: Json = None, platform: Platform = None) -> None:
    """Everything in moderate size, in less than ten minutes."""

    def measure() -> Tables:
        done = throughput_tables(2_000, 40_000, False) | filing_tables(1_000) | latency_tables(500, 30)
        done |= peer_tables(2_000, 30_000, 3) | peer_tables(10_000, 20_000, 3)
        return done | profile_tables(2_000, 20_000)

    _measured(measure, json, platform)


def throughput_tables(claims: int, commands: int, profile: bool) -> Tables:
    """Rates; with `profile` the shares of small commands too."""
    with _world(claims) as world:
        figures = measure_throughput(world, commands, profiled=profile)
    return _shown("throughput, one process each", [each.row() for each in figures]) | _shares(figures)


def profile_tables(claims: int, commands: int) -> Tables:
    """The shares alone: sampling slows the figures down a little."""
    with _world(claims) as world:
        return _shares(measure_throughput(world, commands, profiled=True))


def filing_tables(claims: int) -> Tables:
    rows: Rows = []
    for documents in (False, True):
        with _world(claims) as world:
            rows += [each.row() for each in measure_filing(world, documents=documents)]
    return _shown("whole claims in one message, one process each", rows)


def latency_tables(claims: int, seconds: float) -> Tables:
    with _world(claims) as world:
        return _shown("message to receipt", measure_latency(world, seconds, report.say))


def mail_tables(seconds: float, mails: int, turns: int) -> Tables:
    with _world(1) as world:
        rates = delivery_rate(world, mails, turns, report.say)
    shown = _shown("mails that are rendered already, to a sink on this machine", rates)
    with _world(WARM_UP + int(seconds * MAILS_PER_SECOND)) as world:
        return shown | _shown("partner's record to mail in the sink", mail_latency(world, report.say))


def peer_tables(claims: int, commands: int, pairs: int) -> Tables:
    from bench.peers import peers as measure_peers  # only in the bench's environment

    with _world(claims) as world:
        title = f"review beside Quix Streams: {claims:,} drafts, then {commands:,} comments on them"
        return _shown(title, measure_peers(world, commands, pairs, report.say))


def _shares(figures: list[Figure]) -> Tables:
    """One row a class, services side by side."""
    found = {each.service: each.profile for each in figures if each.profile is not None}
    if not found:
        return {}
    by_service = {service: sampler.shares() for service, sampler in found.items()}
    names = sorted(
        {name for each in by_service.values() for name in each}, key=lambda name: -by_service["review"].get(name, 0)
    )
    rows: Rows = [
        {"share": name} | {f"{service} %": each.get(name, 0.0) for service, each in by_service.items()}
        for name in names
    ]
    hottest: Rows = [
        {"service": service, "function": name, "%": share}
        for service, sampler in found.items()
        for name, share in sampler.hottest(12).items()
    ]
    return _shown("where the CPU time of small commands goes", rows) | _shown("hottest functions", hottest)


def _shown(title: str, rows: Rows) -> Tables:
    report.show(title, rows)
    return {title: rows}


@contextmanager
def _world(claims: int) -> Iterator[World]:
    with stage(report.say) as endpoints:
        world = World(endpoints, claims)
        try:
            yield world
        finally:
            world.close()


def _measured(measure: Callable[[], Tables], json: Path | None, platform: PlatformKind | None) -> None:
    if platform is not None:
        os.environ["CPOR_PLATFORM"] = platform.value
    quieten()
    try:
        found = conditions()
        tables = measure()
    except PlatformError as fault:
        typer.echo(f"bench: {fault}", err=True)
        raise typer.Exit(3) from fault
    found.end()
    report.show_conditions(found)
    if json is not None:
        report.say(f"written to {report.save(json, found, tables)}")


def quieten() -> None:
    """The workers' own lines are for their operators; a fault still ends the bench with its traceback."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


if __name__ == "__main__":
    sys.exit(cli())
