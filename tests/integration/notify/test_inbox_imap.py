"""The mailbox of bounces over IMAP, against a real server: nothing is deleted, and a fault is a passing one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from cpor.runtime.clock import wall_ms
from services.notify.dsn import Fate, read_report
from services.notify.inbox import PROCESSED, UNKNOWN, ImapAddress, Unreachable
from services.notify.inbox_imap import ImapInbox
from tests.integration.notify.imap import PASSWORD, USER, imap_server, mail_program
from tests.unit.notify import dsns
from tests.unit.notify.secured import Authority

pytestmark = pytest.mark.integration


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def address(authority: Authority) -> Iterator[ImapAddress]:
    with imap_server(authority.context()) as port:
        yield ImapAddress(USER, "127.0.0.1", port, "INBOX", PASSWORD, str(authority.path))


@pytest.fixture
def people(address: ImapAddress, authority: Authority) -> Iterator[IMAPClient]:
    with mail_program(address.port, authority.path) as client:
        yield client


def test_mails_are_read_in_their_order_and_moved_whole(address: ImapAddress, people: IMAPClient) -> None:
    inbox = ImapInbox(address)
    assert inbox.waiting() == []
    for raw in (dsns.POSTFIX, dsns.REPLY):
        people.append("INBOX", raw)
    first, second = inbox.waiting()
    letter = inbox.read(first, 1_000_000)
    assert letter is not None
    assert read_report(letter.content).fate == Fate.FAILED
    assert abs(wall_ms() - letter.came_at) < 60_000
    inbox.move([first], PROCESSED)
    inbox.move([second], UNKNOWN)
    assert inbox.waiting() == []
    assert (inbox.number_in(PROCESSED), inbox.number_in(UNKNOWN)) == (1, 1)
    people.select_folder(PROCESSED, readonly=True)
    (found,) = people.fetch(people.search(), ["BODY[]"]).values()
    assert found[b"BODY[]"].replace(b"\r\n", b"\n") == dsns.POSTFIX.replace(b"\r\n", b"\n")


def test_a_large_mail_is_read_in_part_and_reading_marks_nothing(address: ImapAddress, people: IMAPClient) -> None:
    people.append("INBOX", dsns.EXIM + b"x" * 100_000)
    inbox = ImapInbox(address)
    (key,) = inbox.waiting()
    letter = inbox.read(key, 5_000)
    assert letter is not None
    assert len(letter.content) == 5_000
    people.select_folder("INBOX", readonly=True)
    assert people.search(["UNSEEN"]) != []


def test_a_mail_that_somebody_else_takes_away_is_gone_and_no_fault(address: ImapAddress, people: IMAPClient) -> None:
    people.append("INBOX", dsns.POSTFIX)
    inbox = ImapInbox(address)
    (key,) = inbox.waiting()
    people.select_folder("INBOX")
    people.delete_messages(people.search())
    people.expunge()
    assert inbox.waiting() == []
    assert inbox.read(key, 1_000) is None
    inbox.move([key], PROCESSED)
    assert inbox.number_in(PROCESSED) == 0


class WithoutMove(IMAPClient):  # type: ignore[misc]  # the library has no types
    """As with a server that only has UIDPLUS."""

    def has_capability(self, capability: str) -> bool:
        return capability != "MOVE" and bool(super().has_capability(capability))


def test_without_move_a_mail_is_copied_first_and_what_others_marked_stays(
    address: ImapAddress, people: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.inbox_imap.IMAPClient", WithoutMove)
    for raw in (dsns.REPLY, dsns.POSTFIX):
        people.append("INBOX", raw)
    people.select_folder("INBOX")
    people.delete_messages(people.search()[:1])
    inbox = ImapInbox(address)
    (key,) = inbox.waiting()
    inbox.move([key], PROCESSED)
    assert inbox.number_in(PROCESSED) == 1
    people.noop()
    assert len(people.search(["DELETED"])) == 1


def test_a_server_that_comes_back_is_found_again(authority: Authority) -> None:
    with imap_server(authority.context()) as port:
        address = ImapAddress(USER, "127.0.0.1", port, "INBOX", PASSWORD, str(authority.path))
        inbox = ImapInbox(address)
        inbox.waiting()
        inbox._client.socket().shutdown(socket.SHUT_RDWR)  # the line breaks
        with pytest.raises(Unreachable):
            inbox.waiting()
        assert inbox.waiting() == []


def test_who_is_not_let_in_or_cannot_trust_the_server_says_so_without_its_secret(
    address: ImapAddress, tmp_path: Path
) -> None:
    for wrong in (
        ImapAddress(USER, "127.0.0.1", address.port, "INBOX", "a wrong secret", address.ca),
        ImapAddress(USER, "127.0.0.1", address.port, "INBOX", PASSWORD),
        ImapAddress(USER, "127.0.0.1", address.port, "INBOX", PASSWORD, str(Authority(tmp_path, "another").path)),
        ImapAddress(USER, "127.0.0.1", address.port, "Nowhere", PASSWORD, address.ca),
        ImapAddress(USER, "127.0.0.1", 1, "INBOX", PASSWORD, address.ca),
    ):
        with pytest.raises(Unreachable) as caught:
            ImapInbox(wrong).waiting()
        assert wrong.password not in str(caught.value)
        assert USER not in str(caught.value)
