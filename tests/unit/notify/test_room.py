"""A mail server has room for so many connections, mails and words: what it cannot take now is no mail's fault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from cpor.devstack.ports import LOOPBACK
from cpor.runtime.mailserver import Server
from services.notify.smtp import Outcome, Post, Posts, Rest, Result
from tests.unit.notify.test_delivery import mail, running

FULL = "421 4.3.2 too many connections"


class Busy:
    """Has no room (421) for the first `words` of what it is asked where `at` says; counts connections."""

    def __init__(self, words: int = 0, at: str = "MAIL", pipelining: bool = True) -> None:
        self.words = words
        self.at = at
        self.pipelining = pipelining
        self.connections = 0
        self.arrived = 0

    def serve(self) -> Callable[[], Awaitable[asyncio.Server]]:
        async def serve() -> asyncio.Server:
            return await asyncio.get_running_loop().create_server(self._server, LOOPBACK, 0)

        return serve

    def _server(self) -> SMTP:
        self.connections += 1
        return SMTP(self, timeout=60)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        more = ["250-PIPELINING"] if self.pipelining else []
        return [*responses[:-1], *more, responses[-1]]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._said("MAIL", server) or "250 2.1.0 ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._said("RCPT", server) or "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        refusal = self._said("DATA", server)
        self.arrived += refusal is None
        return refusal or "250 2.0.0 taken"

    def _said(self, at: str, server: Any) -> str | None:
        if at != self.at or self.words == 0:
            return None
        self.words -= 1
        asyncio.get_running_loop().call_later(0.01, server.transport.close)
        return FULL


@contextmanager
def busy(*args: Any, **more: Any) -> Iterator[tuple[Busy, Server]]:
    there = Busy(*args, **more)
    with running(there.serve()) as port:
        yield there, Server(LOOPBACK, port, seconds=5, mails=5)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_has_no_room_gets_the_mail_a_moment_later_and_no_attempt_is_lost(
    at: str, pipelining: bool
) -> None:
    with busy(3, at, pipelining) as (there, server):
        assert Post(server, Rest(0.01, 0.02)).send(mail()) == Outcome(Result.DELIVERED, "")
    assert (there.arrived, there.words, there.connections) == (1, 0, 4)


def test_a_server_that_has_no_room_for_long_defers_the_mail_in_its_own_words() -> None:
    with busy(1_000) as (there, server):
        outcome = Post(server, Rest(0.02, 0.04), patience=0.2).send(mail())
    assert outcome == Outcome(Result.DEFERRED, FULL)
    assert there.connections < 12


def test_all_connections_rest_when_one_is_told_that_there_is_no_room() -> None:
    with busy(1) as (there, server):
        rest = Rest(0.3, 0.3)
        first, second = Post(server, rest), Post(server, rest)
        thread = threading.Thread(target=first.send, args=(mail(),))
        thread.start()
        while rest.left() == 0.0:
            assert thread.is_alive()
        before = there.connections
        assert second.send(mail()).result == Result.DELIVERED
        assert rest.left() == 0.0
        thread.join()
    assert (before, there.arrived) == (1, 2)


def test_each_further_word_makes_the_rest_longer_and_a_mail_that_goes_through_ends_that() -> None:
    rest = Rest(0.01, 1_000.0)
    lengths = []
    for _ in range(4):
        while rest.left() > 0:
            pass
        rest.begin()
        rest.begin()  # who hears it while all rest already makes it no longer
        lengths.append(rest.left())
    assert lengths == sorted(lengths)
    assert 0.06 < lengths[-1] <= 0.08
    rest.over()
    while rest.left() > 0:
        pass
    rest.begin()
    assert rest.left() <= 0.01


def test_a_kept_connection_that_is_closed_with_a_421_is_made_anew_without_a_rest() -> None:
    """So does a server that has waited for the next mail for too long."""
    with busy() as (there, server):
        rest = Rest(1_000.0, 1_000.0)
        post = Post(server, rest)
        assert post.send(mail()).result == Result.DELIVERED
        there.words = 1
        assert post.send(mail()).result == Result.DELIVERED
    assert (rest.left(), there.connections) == (0.0, 2)


def test_a_connection_carries_so_many_mails_and_is_then_made_anew() -> None:
    with busy() as (there, server):
        post = Post(server)
        assert [post.send(mail()).result for _ in range(12)] == [Result.DELIVERED] * 12
    assert (there.arrived, there.connections) == (12, 3)


def test_never_more_connections_at_once_than_threads() -> None:
    with busy() as (there, server):
        posts = Posts(server)
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(lambda _: posts.send(mail()), range(30)))
    assert there.arrived == 30
    assert 6 <= there.connections <= 9
