"""Runs a service as a process: settings, slot lock, its work, and an exit code that says how it ended."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog
from kafka.errors import KafkaTimeoutError

from cpor.runtime import logs
from cpor.runtime.errors import ExitCode, Fenced, Misconfigured, RuntimeFault
from cpor.runtime.garbage import Garbage
from cpor.runtime.health import Health
from cpor.runtime.metrics import serve
from cpor.runtime.processor import Processor
from cpor.runtime.settings import Settings
from cpor.runtime.store.engine import RocksEngines
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.watchdog import Watchdog
from cpor.runtime.worker import TESTED, Worker

#: What a process does until a signal asks for an end.
Work = Callable[[Settings, Health], None]
#: Reads what it needs besides; raises Misconfigured.
Prepare = Callable[[Settings], Work]

log = structlog.get_logger("cpor.runtime")

FENCED = "fenced: another process holds this slot; stop one of the two or give it another --slot"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the slot's directory. Raises Fenced where another process of this machine has it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Fenced(
                "another process holds this slot's directory", path=str(home), pid=lock.read().strip()
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def start(service: str, build: Callable[[Settings], Processor], arguments: Sequence[str] | None = None) -> NoReturn:
    """The body of `python -m services.<service>`: a processor in the kernel's loop, until a signal asks for an end."""
    start_process(service, lambda settings: partial(_rounds, build), arguments)


def start_process(service: str, prepare: Prepare, arguments: Sequence[str] | None = None) -> NoReturn:
    """The body of a process that does what `prepare` makes of its settings; ends it with an `ExitCode`.

    At once: threads that still fetch documents, or a client that waits for a broker, must not keep it from ending.
    """
    code = run(service, prepare, arguments)
    sys.stderr.flush()
    os._exit(code)


def run(service: str, prepare: Prepare, arguments: Sequence[str] | None = None) -> ExitCode:
    """Work until it ends, and say how; never raises. Settings that are missing are told before anything is touched."""
    try:
        settings = Settings.read(service, sys.argv[1:] if arguments is None else arguments)
        work = prepare(settings)
    except Misconfigured as fault:
        print(f"{service}: {fault}", file=sys.stderr)
        return ExitCode.STOPPED
    logs.configure(service, settings.slot)
    try:
        with locked(settings.home):
            return _guarded(settings, work)
    except Fenced as fault:
        log.error(FENCED, cause=str(fault))
        return ExitCode.FENCED
    except OSError as fault:
        log.error("the data directory cannot be used", path=str(settings.home), cause=str(fault))
        return ExitCode.STOPPED


def _guarded(settings: Settings, work: Work) -> ExitCode:
    """The work, with every way it can end told in the log and in the health file."""
    health = settings.health()
    health.waits("starting")  # nobody may take its predecessor's last word for its own
    try:
        if settings.metrics is not None:
            serve(health, *settings.metrics)
        work(settings, health)
        health.ended("ended", "asked to stop")
        return ExitCode.DONE
    except Fenced as fault:
        log.error(FENCED, cause=str(fault))
        health.ended("stopped", f"fenced: {fault}")
        return ExitCode.FENCED
    except RuntimeFault as fault:
        log.error("stopped", cause=str(fault), because=repr(fault.__cause__), exc_info=fault.__cause__)
        health.ended("stopped", str(fault))
        return ExitCode.STOPPED
    except KafkaTimeoutError as fault:
        log.error("stopped: Kafka does not answer", kafka=settings.kafka_bootstrap, cause=str(fault))
        health.ended("stopped", f"Kafka does not answer: {fault}")
        return ExitCode.STOPPED
    except Exception as fault:
        log.exception("stopped by an unknown fault", cause=repr(fault))
        health.ended("stopped", repr(fault))
        return ExitCode.STOPPED


def _rounds(build: Callable[[Settings], Processor], settings: Settings, health: Health) -> None:
    clock = settings.clock()
    transport = KafkaTransport(
        settings.kafka_bootstrap, clock, session_ms=settings.session_ms, transaction_ms=settings.transaction_ms
    )
    watchdog = Watchdog(settings.watchdog_seconds)
    watchdog.start()
    stopping = asked_to_end()
    engines = RocksEngines(settings.home / "store")
    garbage = Garbage()

    def alive() -> None:
        watchdog.alive()
        garbage.pace()

    processor = build(settings)
    with closing(transport.admin()) as admin:
        settings.check_partitions(admin.partition_counts(), processor.slots_topic)
    limits = None if settings.test_clock is None else TESTED
    worker = Worker(processor, transport, engines, clock, settings.slot, limits, health, alive)
    garbage.take_over()
    log.info("started", data=str(settings.home))
    worker.run(stopping)
    worker.close()
    watchdog.stop()


def asked_to_end() -> Callable[[], bool]:
    """The first signal asks for an end after the round, a second one ends the process as if it had been killed."""
    asked: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, remember)
    return lambda: bool(asked)
