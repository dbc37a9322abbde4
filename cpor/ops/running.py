"""An instance with its workers, run by this process: what `cpor up` and `cpor demo` have in common."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cpor.devstack.backoff import BackOff
from cpor.devstack.endpoints import Endpoints
from cpor.devstack.mail import bounces_dir, sink_spec
from cpor.devstack.platform import open_platform
from cpor.devstack.probe import answers
from cpor.devstack.supervisor import Supervisor, WorkerSpec, WorkerState
from cpor.domain.vocabulary import instant_text, parse_instant
from cpor.ops import figures, screen
from cpor.ops.errors import NotReachable, Refused, WrongUse
from cpor.ops.instance import CLOCK_FILE, Instance, clock_file
from cpor.ops.poe.shelf import put_templates
from cpor.ops.reading import partition_counts
from cpor.ops.settings import keep_settings, posted
from cpor.runtime.clock import TestClock
from cpor.runtime.health import is_fresh, read_health
from cpor.runtime.settings import CLAIMS_PARTITIONS, PARTNERS_PARTITIONS
from cpor.runtime.topics import FIXED_TOPICS, Count, Topic

#: Every one of them as `Plan.workers` processes; beside consent runs the customers' page; beside notify run one that
#: delivers, one that reads the mailbox to which mails come back, where one is known, and, where nobody else takes the
#: mails, the sink.
SERVICES = ("intake", "review", "consent", "deadlines", "notify")
CONSENT, PAGE = "consent", "consent-page"
NOTIFY, DELIVERY, BOUNCES, SINK = "notify", figures.DELIVERY, figures.BOUNCES, "mail"
#: For a machine that does much else; on one that does not it takes a few seconds.
READY_SECONDS = 180.0
#: Below this a busy machine loses its sessions all the time.
SHORTEST_SESSION_MS = 3_000
LONGEST_TRANSACTION_MS = 15_000

Progress = Callable[[str], None]
#: Service and slot of a process.
Name = tuple[str, str]


@dataclass(frozen=True)
class Plan:
    """What to run: `workers` processes of each service; `test_clock` is an RFC 3339 instant to begin at."""

    data: Path
    test_clock: str | None = None
    workers: int = 1
    session_ms: int | None = None
    #: Whether somebody will come back for the data.
    keep: bool = True
    services: tuple[str, ...] = SERVICES


@dataclass(frozen=True)
class Running:
    """A running instance and the supervisor of its workers."""

    instance: Instance
    supervisor: Supervisor
    workers: tuple[Name, ...]

    def health(self, service: str, slot: str) -> dict[str, object] | None:
        return read_health(self.instance.data / service / slot / "health.json")


@contextmanager
def run_instance(plan: Plan, progress: Progress) -> Iterator[Running]:
    """Platform, topics, clock and workers for the time of the `with` block; returns when all workers make rounds.

    Raises PlatformError, WrongUse, Refused, or NotReachable with what the worker that does not come up said last.
    """
    check_plan(plan)
    with (
        open_platform(plan.data, progress=progress, keep=plan.keep) as endpoints,
        run_workers(plan, endpoints, progress) as running,
    ):
        yield running


@contextmanager
def run_workers(
    plan: Plan, endpoints: Endpoints, progress: Progress = lambda text: None, policy: BackOff | None = None
) -> Iterator[Running]:
    """Everything but the platform; `policy` says how soon a worker is started again. Raises as `run_instance`."""
    progress("creating topics")
    instance = prepare_instance(plan, endpoints)
    specs = worker_specs(plan, instance)
    forget_health(instance)
    progress(f"starting {len(specs)} processes: {', '.join(plan.services)}")
    with Supervisor(plan.data, specs.values(), policy=policy) as supervisor:
        running = Running(instance, supervisor, tuple(specs))
        await_ready(running)
        progress("ready")
        yield running


def prepare_instance(plan: Plan, endpoints: Endpoints, environment: Mapping[str, str] = os.environ) -> Instance:
    """Topics, templates, addresses, settings and clock, so that workers can start. Raises WrongUse, Refused,
    NotReachable.
    """
    counts = prepare_topics(endpoints, environment)
    put_templates(endpoints)
    known = posted(endpoints, environment)
    known.save()
    bounces = f"maildir:{bounces_dir(known.data_dir).resolve()}" if known.mail_dir else ""
    clock = prepare_clock(plan)
    keep_settings(known.data_dir, counts, environment, bounces=bounces, tested=clock is not None)
    return Instance(known, clock)


def check_plan(plan: Plan) -> None:
    if plan.workers < 1:
        raise WrongUse("--workers takes 1 or more")
    if plan.session_ms is not None and plan.session_ms < SHORTEST_SESSION_MS:
        raise WrongUse(f"--session-ms takes {SHORTEST_SESSION_MS} or more")
    if plan.test_clock is not None:
        instant_of(plan.test_clock)


def instant_of(text: str) -> int:
    """An RFC 3339 instant, or a date for its beginning in UTC. Raises WrongUse."""
    try:
        return parse_instant(f"{text}T00:00:00Z" if len(text) == len("2026-03-02") else text)
    except ValueError:
        raise WrongUse(f"--test-clock takes an instant such as 2026-03-02T08:00:00Z, not {text}") from None


# -- topics -------------------------------------------------------------------------------------------------------


def prepare_topics(endpoints: Endpoints, environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Create what is missing; partitions by kind of topic. Raises Refused where they differ from those there are."""
    transport = Instance(endpoints).transport
    there = partition_counts(transport)
    counts = {
        str(Count.CLAIMS): _partitions(
            "CPOR_CLAIMS_PARTITIONS", CLAIMS_PARTITIONS, there.get(Topic.CLAIM_EVENTS), environment
        ),
        str(Count.PARTNERS): _partitions(
            "CPOR_PARTNERS_PARTITIONS", PARTNERS_PARTITIONS, there.get(Topic.INTAKE_SLOTS), environment
        ),
        str(Count.ONE): 1,
    }
    admin = transport.admin()
    try:
        admin.create(FIXED_TOPICS, counts)
    finally:
        admin.close()
    return counts


def _partitions(variable: str, usual: int, there: int | None, environment: Mapping[str, str]) -> int:
    """The number is chosen at the first start and never changed: keys would lie in other partitions."""
    try:
        wanted = int(environment[variable]) if environment.get(variable) else None
    except ValueError:
        raise WrongUse(f"{variable} takes a whole number, not {environment[variable]}") from None
    if there is not None and wanted not in (None, there):
        raise Refused(
            f"this instance has {there} partitions, which can never change: unset {variable}, or use new --data"
        )
    return there or wanted or usual


# -- clock --------------------------------------------------------------------------------------------------------


def prepare_clock(plan: Plan) -> Path | None:
    """The test clock's file; made where `--test-clock` asks for one, kept where the instance has one.

    Raises Refused where the instance has run on the system's clock, or the clock would go back.
    """
    there = clock_file(plan.data)
    if plan.test_clock is None:
        return there
    wanted = instant_of(plan.test_clock)
    if there is not None:
        clock = TestClock(there)
        if wanted > clock.now():
            clock.set(wanted)
        return there
    if (plan.data / "review").exists():
        raise Refused("this instance has run on the system's clock: a test clock needs a new --data DIR")
    fresh = TestClock(plan.data.resolve() / CLOCK_FILE)
    fresh.set(wanted)
    return fresh.path


def clock_text(instance: Instance) -> str:
    """`2026-03-02 08:00:04 (test clock)`."""
    shown = screen.moment_text(instant_text(instance.clock.now()), seconds=True)
    return f"{shown} UTC ({'test clock' if instance.test_clock else 'system clock'})"


# -- workers ------------------------------------------------------------------------------------------------------


def forget_health(instance: Instance) -> None:
    """What workers of an earlier run told last says nothing about this one's, which may be fewer."""
    for path in instance.data.glob("*/*/health.json"):
        path.unlink()


def worker_specs(plan: Plan, instance: Instance) -> dict[Name, WorkerSpec]:
    """(service, slot) → how to start it."""
    env = instance.env() | {"PYTHONUNBUFFERED": "1"}
    if plan.session_ms is not None:
        # The transaction of a frozen worker must be over before its partitions go to another.
        transaction = min(LONGEST_TRANSACTION_MS, plan.session_ms // 2)
        env |= {"CPOR_SESSION_MS": str(plan.session_ms), "CPOR_TRANSACTION_MS": str(transaction)}
    specs = {
        (service, str(slot)): WorkerSpec(f"{service}-{slot}", _command(service, slot, instance), env)
        for service in plan.services
        for slot in range(plan.workers)
    }
    if CONSENT in plan.services:
        specs[PAGE, "0"] = WorkerSpec(f"{PAGE}-0", _command("consent.page", 0, instance), env)
    return specs | (_postmen(instance, env) if NOTIFY in plan.services else {})


def _command(module: str, slot: int, instance: Instance) -> tuple[str, ...]:
    return (sys.executable, "-m", f"services.{module}", "--slot", str(slot), "--data", str(instance.data))


def _postmen(instance: Instance, env: Mapping[str, str]) -> dict[Name, WorkerSpec]:
    """Who hands mails over, who takes them, and who reads what comes back."""
    endpoints = instance.endpoints
    found = {(DELIVERY, "0"): WorkerSpec(f"{DELIVERY}-0", _command("notify.delivery", 0, instance), env)}
    if env.get("CPOR_BOUNCES"):
        found[BOUNCES, "0"] = WorkerSpec(f"{BOUNCES}-0", _command("notify.bounces", 0, instance), env)
    if not endpoints.mail_dir:
        return found
    port = int(endpoints.smtp.rpartition(":")[2])
    return {(SINK, "0"): sink_spec(Path(endpoints.mail_dir), port, bounces_dir(instance.data)), **found}


def await_ready(running: Running, seconds: float = READY_SECONDS) -> None:
    """Return when every worker makes rounds. Raises NotReachable with the last words of one that does not, at once
    where it keeps ending.
    """
    deadline = time.monotonic() + seconds
    while waiting := [worker for worker in running.workers if not is_ready(running, *worker)]:
        failing = [each for each in waiting if running.supervisor.state("-".join(each)).state is WorkerState.FAILING]
        if failing or time.monotonic() > deadline:
            raise NotReachable(last_words(running, *[*failing, *waiting][0]))
        time.sleep(0.1)


def is_ready(running: Running, service: str, slot: str) -> bool:
    if service == SINK:
        return answers(running.instance.endpoints.smtp)
    told = running.health(service, slot)
    return told is not None and is_fresh(told) and told["pid"] == running.supervisor.state(f"{service}-{slot}").pid


def last_words(running: Running, service: str, slot: str) -> str:
    status = running.supervisor.state(f"{service}-{slot}")
    try:
        lines = status.log.read_text(errors="replace").splitlines()[-5:]
    except OSError:
        lines = []
    return "\n".join([f"{service}-{slot} does not come up ({status.state}); its log {status.log} ends:", *lines])


# -- stopping -----------------------------------------------------------------------------------------------------


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM, and a terminal that is closed, end the block as Ctrl-C does: everything is stopped in order.

    Ctrl-C too, also where a shell started this in the background and had it ignored; `nohup` keeps its meaning.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
