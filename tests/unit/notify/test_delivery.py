"""Delivery against a real mail server on this machine: what arrives, what waits, what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from cpor.devstack import mail as sink
from cpor.domain import ids
from cpor.domain.vocabulary import parse_instant
from cpor.runtime.clock import ManualClock, wall_ms
from cpor.runtime.errors import Misconfigured, Reject, Retry
from cpor.runtime.mailserver import SENDER, Server
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic
from schemas.base import check, write
from schemas.envelope import headers, read_envelope
from schemas.mail import ATTEMPT, BOUNCED, DEFERRED, DELIVERED, SUPERSEDED, Delivered, Mail
from services.notify import ledger as notify_ledger
from services.notify.delivery import Delivery
from services.notify.ledger import Ledger
from services.notify.mime import message_bytes
from services.notify.outbox import written
from services.notify.smtp import Outcome, Post, Posts, Result
from tests.unit.notify.samples import samples

NOW = parse_instant("2024-03-04T08:00:00Z")


def mail(**changes: object) -> Mail:
    return rendered().model_copy(update=changes)


@cache
def rendered() -> Mail:
    sample = next(each for each in samples() if each.name == "rejected-1")
    return written(sample.told, sample.draft)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The embedded sink, in a thread."""
    with running_sink(tmp_path) as port:
        yield Server("127.0.0.1", port, seconds=5)


@contextlib.contextmanager
def running_sink(directory: Path) -> Iterator[int]:
    with running(lambda: sink.serve(directory, 0)) as port:
        yield port


@contextlib.contextmanager
def running(serve: Callable[[], Awaitable[asyncio.Server]]) -> Iterator[int]:
    """A server on a loop in a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield sink.port_of(listening)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listening.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()


def test_a_mail_arrives_whole_in_text_and_html(server: Server, tmp_path: Path) -> None:
    sent = mail(to_name="Jörg, „der“ Weber")
    assert Post(server).send(sent) == Outcome(Result.DELIVERED, "")
    (got,) = sink.received(tmp_path)
    assert (got.message_id, got.subject) == (f"<{sent.mail_id}@cpor.example>", sent.subject)
    assert got.body().replace("\r\n", "\n") == sent.text
    assert got.body("html").replace("\r\n", "\n") == sent.html
    assert got.message["Auto-Submitted"] == "auto-generated"
    assert "Jörg" in got.to


def test_the_same_mail_is_the_same_bytes_each_time_it_is_sent(server: Server, tmp_path: Path) -> None:
    post = Post(server)
    assert [post.send(mail()).result for _ in range(2)] == [Result.DELIVERED] * 2
    first, second = (each.path.read_bytes() for each in sink.received(tmp_path))
    assert first == second


def test_a_greylisted_address_waits_and_then_gets_its_mail(server: Server, tmp_path: Path) -> None:
    post, sent = Post(server), mail(to="defer-1-anna@nordwind.example")
    assert post.send(sent) == Outcome(Result.DEFERRED, "450 4.2.0 greylisted, try again later")
    assert post.send(sent).result == Result.DELIVERED
    assert len(sink.received(tmp_path)) == 1


def test_an_address_that_does_not_exist_bounces(server: Server) -> None:
    sent = mail(to="bounce-anna@nordwind.example")
    assert Post(server).send(sent) == Outcome(Result.BOUNCED, "550 5.1.1 no such user")


def test_a_server_that_takes_one_command_at_a_time_gets_them_so(tmp_path: Path) -> None:
    """Ours takes them together, as it says (RFC 2920)."""

    class Plain(sink.Sink):
        async def handle_EHLO(
            self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
        ) -> list[str]:
            session.host_name = hostname
            return responses

    async def serve() -> asyncio.Server:
        plain = Plain(tmp_path)
        return await asyncio.get_running_loop().create_server(lambda: SMTP(plain, timeout=60), "127.0.0.1", 0)

    with running(serve) as port:
        post = Post(Server("127.0.0.1", port, seconds=5))
        addresses = ("anna@n.example", "bounce-x@n.example", "defer-x@n.example", "anna@n.example")
        results = [post.send(mail(to=each)).result for each in addresses]
    assert results == [Result.DELIVERED, Result.BOUNCED, Result.DEFERRED, Result.DELIVERED]
    assert len(sink.received(tmp_path)) == 2


def test_a_refused_mail_leaves_the_connection_as_it_was_for_the_next(server: Server, tmp_path: Path) -> None:
    post = Post(server)
    addresses = ("anna@n.example", "bounce-x@n.example", "defer-x@n.example", "anna@n.example")
    results, connections = [], set()
    for each in addresses:
        results.append(post.send(mail(to=each)).result)
        connections.add(id(post._connection))
    assert results == [Result.DELIVERED, Result.BOUNCED, Result.DEFERRED, Result.DELIVERED]
    assert len(connections) == 1
    assert len(sink.received(tmp_path)) == 2


def test_lines_that_begin_with_a_dot_arrive_and_end_nothing(server: Server, tmp_path: Path) -> None:
    text = ".\n..\n.hidden\n" + "x" * 74 + ".wrapped\n"
    assert Post(server).send(mail(text=text)).result == Result.DELIVERED
    (got,) = sink.received(tmp_path)
    assert got.body().replace("\r\n", "\n") == text


def test_as_many_connections_as_mails_at_once_and_each_is_used_again(server: Server, tmp_path: Path) -> None:
    posts = Posts(server)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: posts.send(mail()).result, range(40)))
    assert results == [Result.DELIVERED] * 40
    assert len(sink.received(tmp_path)) == 40
    assert 1 <= len(posts._idle) <= 4


def test_a_server_that_does_not_answer_defers(tmp_path: Path) -> None:
    with running_sink(tmp_path) as port:
        pass
    assert Post(Server("127.0.0.1", port, seconds=1)).send(mail()).result == Result.DEFERRED


def test_a_server_that_will_not_have_us_bounces_nobody() -> None:
    class Closed:
        async def handle_MAIL(
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
        ) -> str:
            return "554 5.7.1 not from here"

    async def serve() -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(lambda: SMTP(Closed()), "127.0.0.1", 0)

    with running(serve) as port:
        outcome = Post(Server("127.0.0.1", port, seconds=5)).send(mail())
    assert outcome == Outcome(Result.DEFERRED, "554 5.7.1 not from here", ours=True)


def test_a_connection_that_died_is_made_anew(tmp_path: Path) -> None:
    with running_sink(tmp_path) as port:
        post = Post(Server("127.0.0.1", port, seconds=5))
        assert post.send(mail()).result == Result.DELIVERED
        assert post._connection is not None
        post._connection.close()
        assert post.send(mail()).result == Result.DELIVERED


@pytest.mark.parametrize("name", ["Eve\r\nBcc: all@x.example", 'a" <x@y.example>, "b', "\u202e", ""])
def test_no_name_forges_a_header(name: str) -> None:
    content = message_bytes(mail(to_name=name), SENDER)
    head = content.split(b"\r\n\r\n")[0]
    assert b"\nBcc" not in head
    assert head.count(b"\nTo: ") == 1


@pytest.mark.parametrize("smtp", ["", "host", "host:", "host:x"])
def test_delivery_without_a_server_says_what_is_missing(smtp: str) -> None:
    with pytest.raises(Misconfigured, match="CPOR_SMTP"):
        Server.read({"CPOR_SMTP": smtp})


# -- the ledger -------------------------------------------------------------------------------------------------------


def known(*entries: Record) -> Ledger:
    """A ledger that ends with these."""

    async def tail(partition: int, since: int | None) -> Sequence[Record]:
        return entries

    return Ledger(tail)


def handled(outcome: Outcome, attempt: int | None = None) -> Output:
    """What is told of one attempt with that outcome."""
    about = () if attempt is None else ((ATTEMPT, b"%d" % attempt),)
    record = Record(Topic.MAIL, 3, 9, NOW, b"tenant", write(mail()), about)
    (told,) = done(record, outcome, known())
    assert (told.topic, told.partition, told.key) == (Topic.DELIVERIES, 3, b"tenant")
    envelope = read_envelope(told.headers)
    assert envelope.id == ids.derived_id(mail().mail_id, envelope.type or "", attempt or 1)
    return told


def done(record: Record, outcome: Outcome, ledger: Ledger) -> list[Output]:
    sent: list[Output] = []

    async def send(output: Output) -> None:
        sent.append(output)

    asyncio.run(Delivery(lambda _: outcome, ManualClock(NOW), ledger)(record, send))
    return sent


def test_a_delivered_mail_is_told_of_with_what_it_was_about() -> None:
    told = handled(Outcome(Result.DELIVERED, ""))
    entry = check(Delivered, told.value or b"")
    assert read_envelope(told.headers).type == DELIVERED
    assert (entry.mail_id, entry.cause, entry.kind, entry.attempt) == (mail().mail_id, mail().cause, mail().kind, 1)


def test_no_address_stands_in_the_ledger_that_is_kept_for_ever() -> None:
    for outcome in (Outcome(Result.DELIVERED, ""), Outcome(Result.BOUNCED, f"550 5.1.1 <{mail().to}>: no such user")):
        assert mail().to.encode() not in (handled(outcome).value or b"")


def test_a_mail_that_cannot_be_read_is_rejected() -> None:
    async def send(output: Output) -> None:
        raise AssertionError("nothing to tell")

    record = Record(Topic.MAIL, 3, 9, NOW, b"tenant", b"{", ())
    with pytest.raises(Reject):
        asyncio.run(Delivery(lambda _: Outcome(Result.DELIVERED, ""), ManualClock(NOW), known())(record, send))


def entry(kind: str, attempt: int = 1) -> Record:
    """What a predecessor told of the mail."""
    about = headers(kind, ids.derived_id(mail().mail_id, kind, attempt), "/x", NOW, mail().claim_id, mail().mail_id)
    value = b'{"attempt": %d}' % attempt
    return Record(Topic.DELIVERIES, 3, attempt, NOW, b"tenant", value, tuple(about))


@pytest.mark.parametrize(
    ("entries", "attempt", "sent_again"),
    [
        ((), 1, True),
        ((DELIVERED,), 1, False),
        ((BOUNCED,), 1, False),
        ((DEFERRED,), 1, False),
        ((DEFERRED,), 2, True),
        ((DEFERRED, DELIVERED), 2, False),
        ((DEFERRED, SUPERSEDED), 2, False),
        ((DEFERRED, SUPERSEDED), 4, True),
    ],
)
def test_what_is_on_record_of_an_attempt_is_not_done_again(
    entries: tuple[str, ...], attempt: int, sent_again: bool
) -> None:
    handed_over: list[str] = []

    def deliver(one: Mail) -> Outcome:
        handed_over.append(one.mail_id)
        return Outcome(Result.DELIVERED, "")

    async def send(output: Output) -> None:
        assert sent_again

    told = [entry(kind, number) for number, kind in enumerate(entries, start=1)]
    record = Record(Topic.MAIL, 3, 9, NOW, b"tenant", write(mail()), ((ATTEMPT, b"%d" % attempt),))
    asyncio.run(Delivery(deliver, ManualClock(NOW), known(*told))(record, send))
    assert bool(handed_over) == sent_again


def arriving(partition: int = 0, appended_at: int | None = None) -> Record:
    """A mail that was put on its topic just now, or then."""
    return Record(Topic.MAIL, partition, 9, wall_ms() if appended_at is None else appended_at, b"t", b"", ())


def test_the_record_is_read_once_for_each_partition_and_anew_after_a_rebalance() -> None:
    asked: list[int] = []

    async def tail(partition: int, since: int | None) -> Sequence[Record]:
        asked.append(partition)
        await asyncio.sleep(0)
        return ()

    async def story() -> None:
        ledger = Ledger(tail)
        await asyncio.gather(*(ledger.has(arriving(n % 2), "m", 1) for n in range(6)))
        ledger.forget()
        await ledger.has(arriving(1), "m", 1)

    asyncio.run(story())
    assert asked == [0, 1, 1]


def test_a_mail_that_lay_on_its_topic_for_long_is_looked_up_again_from_where_the_last_look_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Meanwhile its contact may have been replaced."""
    monkeypatch.setattr(notify_ledger, "LOOK_AGAIN", 0.0)
    asked: list[int | None] = []
    looks = [(entry(DEFERRED, 6),), (entry(DELIVERED, 7), entry(SUPERSEDED, 8))]

    async def tail(partition: int, since: int | None) -> Sequence[Record]:
        asked.append(since)
        return looks.pop(0)

    async def story() -> list[bool]:
        ledger, old = Ledger(tail), wall_ms() - notify_ledger.OLD_MS - 1_000
        fresh = [await ledger.has(arriving(), mail().mail_id, 7) for _ in range(3)]
        return [*fresh, await ledger.has(arriving(appended_at=old), mail().mail_id, 9)]

    assert asyncio.run(story()) == [False, False, False, True]
    assert asked == [None, 7]


def test_a_record_that_could_not_be_read_is_read_again() -> None:
    faults = [Retry("the broker is away")]

    async def tail(partition: int, since: int | None) -> Sequence[Record]:
        if faults:
            raise faults.pop()
        return (entry(DELIVERED),)

    async def story() -> bool:
        ledger = Ledger(tail)
        with pytest.raises(Retry):
            await ledger.has(arriving(), mail().mail_id, 1)
        return await ledger.has(arriving(), mail().mail_id, 1)

    assert asyncio.run(story())
