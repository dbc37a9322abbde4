"""The `cpor` command: groups of commands, and what becomes of their errors (contract §7)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

import typer

from cpor.devstack.errors import PlatformError
from cpor.ops import screen
from cpor.ops.associations import end_associations, import_legacy
from cpor.ops.catalogue import catalogue
from cpor.ops.claims import claims
from cpor.ops.clock import clock
from cpor.ops.consent import consent
from cpor.ops.consent_review import review_answers
from cpor.ops.deadline import deadline
from cpor.ops.demo.command import demo
from cpor.ops.doctor import doctor
from cpor.ops.earnings import earnings
from cpor.ops.env import env
from cpor.ops.errors import CommandError, Exit
from cpor.ops.locations import locations
from cpor.ops.mail import mail
from cpor.ops.operations import ops
from cpor.ops.partners import partners, reference
from cpor.ops.poe.command import poe
from cpor.ops.poe.desk import get_documents, list_documents
from cpor.ops.review import review
from cpor.ops.setup import setup
from cpor.ops.status import status
from cpor.ops.up import up
from cpor.runtime.errors import Misconfigured
from cpor.runtime.transport.port import PublishFailed

cli = typer.Typer(
    name="cpor",
    help="Claiming partner of record: from a partner's claim to its approval, exactly once, on Kafka and S3.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (up, env, demo, status, doctor):
    cli.command(command.__name__)(command)
ops.command()(import_legacy)
consent.command("review")(review_answers)
ops.command()(end_associations)
poe.command("list")(list_documents)
poe.command("get")(get_documents)
GROUPS = (
    *(partners, reference, claims, locations, catalogue, poe, earnings),
    *(review, consent, mail, deadline, ops, clock, setup),
)
for group in GROUPS:
    cli.add_typer(group)


def app() -> None:
    """The entry point: runs the command and exits with its code."""
    quieten_clients()
    sys.exit(run(cli))


def run(command: Callable[[], object]) -> int:
    """The exit code of a command; what went wrong is told on stderr as a sentence, never as a traceback.

    With `CPOR_DEBUG` set the traceback comes too.
    """
    try:
        command()
    except (CommandError, PlatformError, PublishFailed, Misconfigured, KeyboardInterrupt, BrokenPipeError) as fault:
        return failed(fault)
    except SystemExit as ended:  # typer's own: usage errors are 2
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as fault:
        return failed(fault)
    return Exit.DONE


def failed(fault: BaseException) -> int:
    if os.environ.get("CPOR_DEBUG"):
        screen.err().print_exception()
    if isinstance(fault, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read our output has seen enough
        return Exit.DONE
    told, code = explained(fault)
    screen.err().print(f"cpor: {told}", style="red", markup=False)
    return code


def explained(fault: BaseException) -> tuple[str, int]:
    """One sentence, and the exit code."""
    if isinstance(fault, CommandError):
        return str(fault), fault.exit_code
    if isinstance(fault, KeyboardInterrupt):
        return "stopped at your request", 130
    if isinstance(fault, PlatformError):
        return str(fault), Exit.NOT_REACHABLE
    if isinstance(fault, PublishFailed):
        return f"Kafka did not take what was sent: {fault}; `cpor doctor` says more", Exit.NOT_REACHABLE
    if isinstance(fault, Misconfigured):
        return str(fault), Exit.NOT_REACHABLE
    if type(fault).__module__.startswith("kafka."):
        return f"Kafka does not answer as it should ({type(fault).__name__}): see `cpor doctor`", Exit.NOT_REACHABLE
    told = f"{type(fault).__name__}: {fault}"
    return f"this should not have happened ({told}); set CPOR_DEBUG=1 to see where", Exit.REFUSED


def quieten_clients() -> None:
    """Clients log what they retry; whether it matters is for the command to say."""
    for name in ("kafka", "botocore", "urllib3", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
