"""Faust, hardened: the only way to make a Faust app here (architecture §5).

For work that waits on the network and is harmless to repeat: at least once, never `exactly_once`. What stock Faust
0.15.3 would lose or repeat is shut off in one place; each pitfall has a test in `tests/unit/runtime/test_faust_*` or
`tests/integration/notify`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import faust
import structlog
from faust.transport.drivers import aiokafka as driver

from cpor.runtime.errors import ExitCode, Misconfigured, Reject, Retry
from cpor.runtime.faust_lanes import Flights, Lanes, Lease
from cpor.runtime.health import Health
from cpor.runtime.letters import letter_headers
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic
from cpor.runtime.watchdog import Watchdog

log = structlog.get_logger("cpor.faust")

Send = Callable[[Output], Awaitable[None]]
Handle = Callable[[Record, Send], Awaitable[None]]

GUARANTEE = "at_least_once"
#: For every table: Faust's own default is a cache of 2 GiB for each partition.
TABLE_OPTIONS: Mapping[str, int] = {
    "block_cache_size": 16 * 1024 * 1024,
    "block_cache_compressed_size": 8 * 1024 * 1024,
    "write_buffer_size": 8 * 1024 * 1024,
    "max_write_buffer_number": 3,
}
RETRIES_EXHAUSTED = "retries_exhausted"
#: How long a rebalance or the end of the process waits for what has begun.
END_SECONDS = 5.0
SESSION_SECONDS = 45.0
#: Seconds between commits of positions.
COMMIT_SECONDS = 0.5
#: The part of a session after which a worker that was not heard of begins nothing: the rest is for what has begun.
LEASE = 0.7


@dataclass(frozen=True, slots=True)
class Limits:
    """How long anything may take, seconds, and how often a passing fault is tried again."""

    handle: float = 120.0
    send: float = 30.0
    retries: int = 5
    #: Pause after the first passing fault; each further one doubles it, up to a minute.
    pause: float = 0.5
    stalled: float = 180.0


def end_process(code: int) -> NoReturn:
    """At once: nothing may be acknowledged or committed on the way out."""
    os._exit(code)


class Guard:
    """One `try` around the whole handling of a record; who returns from it may acknowledge.

    `Reject`: dead letter. `Retry` and time-outs: again after a pause, then dead letter. Anything else ends the process.
    """

    def __init__(
        self, service: str, handle: Handle, send: Send, limits: Limits, end: Callable[[int], NoReturn] = end_process
    ) -> None:
        self._service = service
        self._handle = handle
        self._send = send
        self._limits = limits
        self._end = end

    async def __call__(self, record: Record) -> None:
        """Raises only `CancelledError`: then the record is not acknowledged and comes again."""
        try:
            await self._until_settled(record)
        except asyncio.CancelledError:
            raise
        except BaseException as fault:
            log.error("stopped", record=record.origin, cause=repr(fault), exc_info=fault)
            self._end(ExitCode.STOPPED)

    async def _until_settled(self, record: Record) -> None:
        pause = self._limits.pause
        for attempt in range(self._limits.retries + 1):
            try:
                async with asyncio.timeout(self._limits.handle):
                    return await self._handle(record, self._timed_send)
            except Reject as never:
                return await self._dead_letter(record, never.reason, str(never))
            except (Retry, TimeoutError) as passing:
                cause = str(passing) or "timed out"
                log.warning("again", record=record.origin, attempt=attempt, cause=cause)
            if attempt < self._limits.retries:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 60.0)
        return await self._dead_letter(record, RETRIES_EXHAUSTED, cause)

    async def _dead_letter(self, record: Record, reason: str, detail: str) -> None:
        log.warning("dead letter", record=record.origin, reason=reason)
        told = letter_headers(self._service, record, reason, detail)
        await self._timed_send(Output(Topic.DEAD_LETTERS, 0, record.key, record.value, told))

    async def _timed_send(self, output: Output) -> None:
        """Returns when the broker has it; a time-out here is no passing fault: the message may be there or not."""
        try:
            async with asyncio.timeout(self._limits.send):
                await self._send(output)
        except TimeoutError:
            raise SendTimedOut(f"{output.topic} did not take a record in {self._limits.send:g} s") from None


class SendTimedOut(Exception):
    """The broker did not acknowledge in time."""


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    async def on_start(self) -> None:
        await super().on_start()
        consumer: Any = self._consumer
        app: Any = self.app
        watch_heartbeats(consumer._coordinator, app.lease)

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Faust reads aborted records unless it runs `exactly_once`; it offers no setting."""
        consumer = super()._create_worker_consumer(transport)
        if not hasattr(consumer, "_isolation_level"):
            raise Misconfigured("this aiokafka cannot be told to read committed records only")
        consumer._isolation_level = "read_committed"
        return consumer


def watch_heartbeats(coordinator: Any, lease: Lease) -> None:
    """Every heartbeat that the group answers renews the lease, as of when it was sent."""
    beat = coordinator._do_heartbeat

    async def watched() -> bool:
        asked = time.monotonic()
        answered = bool(await beat())
        if answered:
            lease.renew(asked)
        return answered

    coordinator._do_heartbeat = watched


class SafeConsumer(driver.Consumer):
    """Commits nothing past what is still in flight, by an account of its own.

    Faust's own takes a record for done that it threw out of a queue, or skipped, in a rebalance; and it keeps a list
    of every gap in the offsets, which each transaction of a producer leaves.
    """

    app: Any

    def __init__(self, transport: Any, callback: Callable[[Any], Awaitable[None]], *rest: Any, **more: Any) -> None:
        flights = transport.app.flights

        async def noted(message: Any) -> None:
            flights.take(message.tp, message.offset)
            await callback(message)

        super().__init__(transport, noted, *rest, **more)

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """What has begun is ended and committed first, so that its next owner does not do it again."""
        await self.app.end_work()
        await super().on_partitions_revoked(revoked)
        self.app.flights.forget()

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        self.app.lease.renew(time.monotonic())
        self.app.begin_work()
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        self.app.flights.forget()
        await super().perform_seek()

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[Any]:
        places = self.app.flights.places()
        return (tp for tp in places if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: Any) -> int | None:
        return cast(int | None, self.app.flights.position(tp))

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        return None


class SafeTransport(driver.Transport):
    Consumer = SafeConsumer


class SafeApp(faust.App):
    """An app whose consumer is `SafeConsumer` and whose tables have bounded caches."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.flights = Flights()
        self.lease = Lease(LEASE * SESSION_SECONDS)
        self.lanes: Lanes | None = None
        #: Called when partitions may have gone to another worker.
        self.when_lost: Callable[[], None] = lambda: None

    async def end_work(self) -> None:
        """Before partitions go, or the process ends: begin nothing more, and wait for what has begun."""
        if self.lanes is not None:
            await self.lanes.give_up(END_SECONDS)
        self.when_lost()

    def begin_work(self) -> None:
        """Partitions came, and what is read of them counts."""
        if self.lanes is not None:
            self.lanes.begin()

    def _new_transport(self) -> Any:
        return SafeTransport(self.conf.broker_consumer, self)

    def Table(self, *args: Any, options: Mapping[str, Any] | None = None, **rest: Any) -> Any:
        return super().Table(*args, options={**TABLE_OPTIONS, **(options or {})}, **rest)


def new_app(
    service: str,
    member: str,
    bootstrap: str,
    home: Path,
    guarantee: str = GUARANTEE,
    session: float = SESSION_SECONDS,
    commits: float = COMMIT_SECONDS,
) -> SafeApp:
    """An app of group `cpor.<service>` that keeps its own things under `home`; raises Misconfigured for any other
    guarantee than at least once. After `session` seconds without a word its partitions go to others; positions are
    committed every `commits` seconds where they moved.
    """
    if guarantee != GUARANTEE:
        raise Misconfigured(f"Faust's {guarantee} is broken: it must run {GUARANTEE}")
    home.mkdir(parents=True, exist_ok=True)
    app = SafeApp(
        f"cpor.{service}",
        broker=";".join(f"kafka://{each.strip()}" for each in bootstrap.split(",")),
        processing_guarantee=guarantee,
        store="memory://",
        # Faust's default lies in whatever directory the process was started in.
        datadir=home / "faust",
        # For whom an assignment was made. By default it is this machine's name: started again under another, as a
        # container is, Faust would not take what the group still holds for the member, and stand still.
        canonical_url=f"http://{member}.{service}",
        autodiscover=False,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=member,
        broker_commit_interval=commits,
        broker_request_timeout=60.0,
        broker_session_timeout=session,
        broker_heartbeat_interval=min(3.0, session / 5),
        broker_max_poll_records=200,
        producer_acks=-1,
        producer_request_timeout=30.0,
        stream_buffer_maxsize=256,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.lease = Lease(LEASE * session)
    return app


def agent_on(
    app: SafeApp,
    topics: Sequence[str],
    guard: Callable[[Record], Awaitable[None]],
    width: int = 1,
    key: Callable[[Record], bytes | None] = lambda record: record.key,
) -> Any:
    """One agent; `width` records at once, those of one partition and key in order. A record is done when the guard has
    returned, never because Faust says so: it acknowledges in a `finally`, also what was cancelled by a rebalance.
    """
    channel = app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    lanes = app.lanes = Lanes(guard, app.flights, width, key, app.lease.holds)

    async def work(stream: Any) -> None:
        async for event in stream.noack().events():
            await lanes.put(record_of(event.message))

    return app.agent(channel, concurrency=1, name="work")(work)


def record_of(message: Any) -> Record:
    """A Faust message as the record that workers know; its append time in ms."""
    pairs = message.headers.items() if isinstance(message.headers, Mapping) else message.headers or ()
    at = round((message.timestamp or 0) * 1000)
    return Record(
        message.topic,
        message.partition,
        message.offset,
        at,
        message.key,
        message.value,
        tuple((n, v) for n, v in pairs),
    )


def sender(app: SafeApp) -> Send:
    """Sends through the app's producer; returns with the broker's acknowledgement."""

    async def send(output: Output) -> None:
        await app.producer.send_and_wait(
            output.topic, output.key, output.value, output.partition, None, list(output.headers)
        )

    return send


def run(app: SafeApp, health: Health, limits: Limits) -> NoReturn:
    """Run until a signal, then end: 0 after a signal, 70 after a crash. Never returns."""
    watchdog = Watchdog(limits.stalled)
    watchdog.start()

    async def beat() -> None:
        watchdog.alive()
        has = holdings(app)
        health.slots = has or []
        health.waits("joining") if has is None else health.idle()

    app.timer(interval=1.0)(beat)
    code = asyncio.run(_serve(app, health))
    end_process(code)


def holdings(app: SafeApp) -> list[int] | None:
    """The partitions this worker may handle; None while it has none, or the group's broker does not answer.

    Without a look at the broker Faust would beat on for ever beside one that is gone.
    """
    group: Any = app.consumer
    consumer = group._thread._consumer
    if consumer is None or app.rebalancing or consumer._coordinator.coordinator_id is None:
        return None
    return sorted({tp.partition for tp in consumer.assignment()}) or None


async def _serve(app: SafeApp, health: Health) -> ExitCode:
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await app.start()
    crashed = asyncio.ensure_future(app.wait_until_stopped())
    stopping = asyncio.ensure_future(asked.wait())
    await asyncio.wait((crashed, stopping), return_when=asyncio.FIRST_COMPLETED)
    if asked.is_set() and not app.crashed:
        async with asyncio.timeout(20):
            await app.end_work()
            await app.stop()
        health.ended("ended", "asked to stop")
        return ExitCode.DONE
    health.ended("stopped", repr(app.crash_reason))
    return ExitCode.STOPPED
