"""`cpor setup`: what must be there before workers start on a Kafka and S3 that run already, as containers do."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cpor.devstack.endpoints import Endpoints, endpoints_from_env
from cpor.devstack.files import write_atomic, write_private
from cpor.devstack.probe import kafka_answers
from cpor.devstack.seaweed import prepare_bucket, s3_answers, s3_client
from cpor.ops import screen
from cpor.ops.errors import NotReachable, Refused
from cpor.ops.instance import DEFAULT_DATA, DataDir, clock_file
from cpor.ops.poe.shelf import put_templates
from cpor.ops.running import Plan, check_plan, prepare_clock, prepare_topics
from cpor.ops.settings import CONSENT_KEY, SHORTEST_KEY, check_key
from cpor.runtime.settings import with_secrets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READY_SECONDS = 90.0
#: Variable → the file that holds it, and what is made up for one that the environment does not name.
KEYS: Mapping[str, tuple[str, Callable[[], str]]] = {
    CONSENT_KEY: ("consent-key", lambda: secrets.token_urlsafe(SHORTEST_KEY)),
    "CPOR_S3_ACCESS_KEY": ("s3-access-key", lambda: f"cpor-{secrets.token_hex(8)}"),
    "CPOR_S3_SECRET_KEY": ("s3-secret-key", lambda: secrets.token_urlsafe(30)),
}
#: What SeaweedFS is to know of them.
S3_IDENTITIES = "s3.json"

setup = typer.Typer(name="setup", help="Make ready for workers that somebody else starts.", no_args_is_help=True)


@setup.command("keys")
def keys(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the keys are kept.")]) -> None:
    """Keep the instance's secrets in DIR: those that the environment names, the others made up once."""
    held = {variable: keep(folder / name, variable, make_up) for variable, (name, make_up) in KEYS.items()}
    # The store runs under a user of its own and must read this one: its folder is to be shared with nobody else.
    identities = s3_identities(held["CPOR_S3_ACCESS_KEY"], held["CPOR_S3_SECRET_KEY"])
    write_atomic(folder / S3_IDENTITIES, json.dumps(identities, indent=2) + "\n")
    screen.note(f"keys are in {folder}")


def keep(path: Path, variable: str, make_up: Callable[[], str], environment: Mapping[str, str] = os.environ) -> str:
    """The secret: the environment's, the one there is, or a new one. Raises WrongUse for a consent key too short."""
    key = environment.get(variable) or (path.read_text().strip() if path.exists() else make_up())
    if variable == CONSENT_KEY:
        check_key(key)
    write_private(path, key + "\n")
    return key


def s3_identities(access_key: str, secret_key: str) -> dict[str, object]:
    """One who may do everything, and nobody else."""
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    return {"identities": [{"name": "cpor", "credentials": credentials, "actions": ["Admin"]}]}


@setup.command("instance")
def instance(
    data: DataDir = DEFAULT_DATA,
    test_clock: Annotated[str, typer.Option(metavar="INSTANT", help="Run on a test clock that begins here.")] = "",
) -> None:
    """Create what is missing on the Kafka and S3 that the environment names: topics, bucket, test clock."""
    plan = Plan(data, test_clock or None)
    check_plan(plan)
    check_clock_stays(plan)
    endpoints = endpoints_from_env(data.resolve(), with_secrets(os.environ))
    await_platform(endpoints)
    prepare_topics(endpoints)
    prepare_bucket(client_of(endpoints), endpoints.s3_bucket)
    put_templates(endpoints)
    clock = prepare_clock(plan)
    screen.note(f"topics and bucket are there; {f'test clock {clock}' if clock else 'system clock'}")


def check_clock_stays(plan: Plan) -> None:
    """Workers that are not told of the test clock would run on the system's."""
    if plan.test_clock is None and clock_file(plan.data) is not None:
        raise Refused("this instance runs on a test clock: set CPOR_TEST_CLOCK as at its first start, or use new data")


def await_platform(endpoints: Endpoints, seconds: float = READY_SECONDS) -> None:
    """Return when both answer. Raises NotReachable."""
    client = client_of(endpoints)
    waiting: dict[str, Callable[[], bool]] = {
        f"Kafka at {endpoints.kafka_bootstrap}": lambda: kafka_answers(endpoints.kafka_bootstrap),
        f"S3 at {endpoints.s3_endpoint}": lambda: s3_answers(client),
    }
    deadline = time.monotonic() + seconds
    while waiting := {name: answers for name, answers in waiting.items() if not answers()}:
        if time.monotonic() > deadline:
            raise NotReachable(f"{' and '.join(waiting)} did not answer within {seconds:g} s")
        time.sleep(0.5)


def client_of(endpoints: Endpoints) -> S3Client:
    return s3_client(endpoints.s3_endpoint, endpoints.s3_access_key, endpoints.s3_secret_key)
