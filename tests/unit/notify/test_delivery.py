"""Delivery against a real mail server on this machine: what arrives, what waits, what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from cpor.devstack import mail as sink
from cpor.domain import ids
from cpor.domain.vocabulary import parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.errors import Misconfigured, Reject
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic
from schemas.base import check, write
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DEFERRED, DELIVERED, Bounced, Deferred, Delivered, Mail
from services.notify.delivery import MINUTE_MS, WAITS, Delivery
from services.notify.ledger import Ledger
from services.notify.mime import message_bytes
from services.notify.outbox import written
from services.notify.smtp import SENDER, Outcome, Post, Result, Server
from tests.unit.notify.samples import samples

NOW = parse_instant("2024-03-04T08:00:00Z")


def mail(**changes: object) -> Mail:
    sample = next(each for each in samples() if each.name == "rejected-1")
    return written(sample.told, sample.draft).model_copy(update=changes)


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
    assert outcome == Outcome(Result.DEFERRED, "554 5.7.1 not from here")


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

    async def tail(partition: int) -> Sequence[Record]:
        return entries

    return Ledger(tail)


def handled(outcome: Outcome, attempt: int | None = None) -> Output:
    """What is told of one attempt with that outcome."""
    sent: list[Output] = []

    async def send(output: Output) -> None:
        sent.append(output)

    headers = () if attempt is None else (("cpor_attempt", b"%d" % attempt),)
    record = Record(Topic.MAIL, 3, 9, NOW, b"tenant", write(mail()), headers)
    asyncio.run(Delivery(lambda _: outcome, ManualClock(NOW), known())(record, send))
    (told,) = sent
    assert (told.topic, told.partition, told.key) == (Topic.DELIVERIES, 3, b"tenant")
    envelope = read_envelope(told.headers)
    assert envelope.id == ids.derived_id(mail().mail_id, envelope.type or "", attempt or 1)
    return told


def test_a_delivered_mail_is_told_of_with_what_it_was_about() -> None:
    told = handled(Outcome(Result.DELIVERED, ""))
    entry = check(Delivered, told.value or b"")
    assert read_envelope(told.headers).type == DELIVERED
    assert (entry.mail_id, entry.cause, entry.kind, entry.attempt) == (mail().mail_id, mail().cause, mail().kind, 1)


@pytest.mark.parametrize("attempt", range(1, len(WAITS) + 1))
def test_a_deferred_mail_waits_longer_each_time(attempt: int) -> None:
    told = handled(Outcome(Result.DEFERRED, "450 later"), attempt)
    entry = check(Deferred, told.value or b"")
    assert read_envelope(told.headers).type == DEFERRED
    assert (entry.attempt, entry.next_at - entry.at) == (attempt, WAITS[attempt - 1] * MINUTE_MS)


def test_a_mail_that_was_deferred_too_often_has_bounced() -> None:
    told = handled(Outcome(Result.DEFERRED, "450 later"), len(WAITS) + 1)
    assert read_envelope(told.headers).type == BOUNCED
    assert check(Bounced, told.value or b"").reply == "gave up: 450 later"


def test_no_address_stands_in_the_ledger_that_is_kept_for_ever() -> None:
    for outcome in (Outcome(Result.DELIVERED, ""), Outcome(Result.BOUNCED, f"550 5.1.1 <{mail().to}>: no such user")):
        assert mail().to.encode() not in (handled(outcome).value or b"")


def test_a_mail_that_cannot_be_read_is_rejected() -> None:
    async def send(output: Output) -> None:
        raise AssertionError("nothing to tell")

    record = Record(Topic.MAIL, 3, 9, NOW, b"tenant", b"{", ())
    with pytest.raises(Reject):
        asyncio.run(Delivery(lambda _: Outcome(Result.DELIVERED, ""), ManualClock(NOW), known())(record, send))
