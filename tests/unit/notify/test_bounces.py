"""The mailbox of bounces: what comes back is told once the ledger knows the mail, and no mail is ever lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import Instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.errors import Misconfigured
from cpor.runtime.health import Health
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.transport.port import PublishFailed
from cpor.runtime.view import View
from schemas.base import check, write
from schemas.envelope import headers, read_envelope
from schemas.mail import BOUNCED, DELIVERED, AboutMail, Bounced, Delivered
from services.notify.bounces import PATIENCE_MS, Bounces
from services.notify.inbox import PROCESSED, UNKNOWN, ImapAddress, Inbox, MaildirInbox, imap_address, source_of
from services.notify.sent import SHAPE, Book
from tests.unit.notify import dsns
from tests.unit.notify.dsns import NAME
from tests.unit.notify.test_delivery import mail

PLACE = 2


class Desk:
    """A mailbox, a ledger in memory and whoever reads the one and writes the other."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = ManualClock()
        self.broker = MemoryBroker(self.clock)
        self.broker.create(Topic.DELIVERIES, 4)
        self.inbox = MaildirInbox(home / "bounces")
        self.health = Health("notify-bounces", "0")
        self.view = View(MemoryTransport(self.broker), home / "sent.sqlite", SHAPE, self.clock)
        self.view.start()
        self.bounces = self.fresh()

    def fresh(self, inbox: Inbox | None = None) -> Bounces:
        """As after a start."""
        publisher = MemoryTransport(self.broker).publisher()
        return Bounces(inbox or self.inbox, Book(self.view), publisher, self.clock, self.health)

    def delivered(self, name: str = NAME, attempt: int = 2) -> None:
        """Delivery tells that a server took the mail."""
        about = {each: getattr(mail(mail_id=name), each) for each in AboutMail.model_fields}
        entry = Delivered(**about, attempt=attempt, at=Instant(self.clock.now()))
        told = headers(DELIVERED, ids.derived_id(name, DELIVERED, attempt), "/x", entry.at, entry.claim_id, name)
        self.broker.append(Output(Topic.DELIVERIES, PLACE, b"tenant", write(entry), told))

    def comes(self, raw: bytes, age_ms: int = 0) -> None:
        """A mail comes back, as if it had done so some time ago."""
        path = self.home / "bounces" / "new" / f"{time.monotonic_ns()}.x.host"
        path.write_bytes(raw)
        then = path.stat().st_mtime - age_ms / 1000
        os.utime(path, (then, then))

    def told(self) -> list[Bounced]:
        records = [each for each in self.broker.records(Topic.DELIVERIES) if each.header("ce_type") == BOUNCED]
        return [check(Bounced, each.value or b"") for each in records]

    def lie(self) -> tuple[int, int, int]:
        """How many mails wait, are done with, and are for an operator."""
        return len(self.inbox.waiting()), self.inbox.number_in(PROCESSED), self.inbox.number_in(UNKNOWN)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.view.close()


@pytest.mark.rule("D20")
def test_a_mail_that_comes_back_is_told_of_on_the_ledger_with_what_it_was_about(desk: Desk) -> None:
    desk.delivered()
    desk.comes(dsns.POSTFIX)
    desk.bounces.look()
    (bounced,) = desk.told()
    sent = mail(mail_id=NAME)
    assert {name: getattr(bounced, name) for name in AboutMail.model_fields} == {
        name: getattr(sent, name) for name in AboutMail.model_fields
    }
    assert (bounced.attempt, bounced.reply) == (2, "came back: 5.1.1 no such mailbox")
    record = desk.broker.records(Topic.DELIVERIES)[-1]
    envelope = read_envelope(record.headers)
    assert (record.partition, record.key) == (PLACE, b"tenant")
    assert (envelope.id, envelope.causation) == (ids.derived_id(NAME, BOUNCED, 2), NAME)
    assert desk.lie() == (0, 1, 0)


def test_the_ledger_gets_no_address_and_nothing_of_a_reports_text(desk: Desk) -> None:
    for shape in (each for each in vars(dsns).values() if isinstance(each, bytes)):
        name = ids.name_id(f"mail/{hash(shape)}")
        desk.delivered(name)
        desk.comes(shape.replace(NAME.encode(), name.encode()))
    desk.bounces.look()
    assert len(desk.told()) > 10
    values = b"".join(each.value or b"" for each in desk.broker.records(Topic.DELIVERIES))
    assert b"@" not in values
    assert b"Kana" not in values


@pytest.mark.parametrize("shape", ["POSTFIX_DELAYED", "RELAYED"])
def test_what_is_no_failure_is_put_away_and_not_told(desk: Desk, shape: str) -> None:
    desk.delivered()
    desk.comes(getattr(dsns, shape))
    desk.bounces.look()
    assert desk.told() == []
    assert desk.lie() == (0, 1, 0)
    assert desk.health.counts["delayed"] == (1 if shape == "POSTFIX_DELAYED" else 0)


def test_what_is_no_report_of_ours_is_counted_and_kept_for_an_operator(desk: Desk) -> None:
    for raw in (dsns.REPLY, dsns.HOLIDAY, dsns.STRANGE, b"", b"\xff" * 100):
        desk.comes(raw)
    desk.bounces.look()
    assert desk.told() == []
    assert desk.lie() == (0, 0, 5)
    assert desk.health.counts["unknown"] == 5


def test_a_forged_report_about_a_mail_that_was_never_sent_does_nothing(desk: Desk) -> None:
    desk.comes(dsns.POSTFIX, age_ms=PATIENCE_MS)
    desk.bounces.look()
    assert desk.told() == []
    assert desk.lie() == (0, 0, 1)


def test_a_report_that_is_faster_than_delivery_waits_for_it(desk: Desk) -> None:
    desk.comes(dsns.POSTFIX)
    desk.comes(dsns.REPLY)
    desk.bounces.look()
    assert (desk.told(), desk.lie(), desk.health.counts["waiting"]) == ([], (1, 0, 1), 1)
    desk.delivered()
    desk.bounces.look()
    assert len(desk.told()) == 1
    assert (desk.lie(), desk.health.counts["waiting"]) == ((0, 1, 1), 0)


def test_a_mail_that_comes_back_twice_is_told_once(desk: Desk) -> None:
    desk.delivered()
    for _ in range(2):
        desk.comes(dsns.POSTFIX)
        desk.bounces.look()
    assert len(desk.told()) == 1
    assert desk.lie() == (0, 2, 0)


def test_more_mails_than_are_read_at_once_are_all_taken_in_one_look(desk: Desk) -> None:
    names = [ids.name_id(f"mail/{number}") for number in range(120)]
    for name in names:
        desk.delivered(name)
        desk.comes(dsns.POSTFIX.replace(NAME.encode(), name.encode()))
    desk.bounces.look()
    assert sorted(each.mail_id for each in desk.told()) == sorted(names)
    assert desk.lie() == (0, 120, 0)


class Killed(BaseException):
    """The process dies here."""


class Dying(MaildirInbox):
    """Dies before it moves anything."""

    def move(self, keys: Sequence[str], folder: str) -> None:
        raise Killed


def test_who_dies_between_telling_and_moving_loses_nothing_and_tells_it_under_the_same_id(desk: Desk) -> None:
    desk.delivered()
    desk.comes(dsns.POSTFIX)
    with pytest.raises(Killed):
        desk.fresh(Dying(desk.home / "bounces")).look()
    assert desk.lie() == (1, 0, 0)
    desk.fresh().look()
    assert desk.lie() == (0, 1, 0)
    assert {each.mail_id for each in desk.told()} == {NAME}
    names = {read_envelope(each.headers).id for each in desk.broker.records(Topic.DELIVERIES)}
    assert names == {ids.derived_id(NAME, kind, 2) for kind in (DELIVERED, BOUNCED)}


def test_a_mail_stays_where_it_is_until_the_broker_has_what_it_says(desk: Desk) -> None:
    desk.delivered()
    desk.comes(dsns.POSTFIX)
    desk.broker.log(TopicPartition(Topic.DELIVERIES, PLACE)).max_bytes = 1
    with pytest.raises(PublishFailed):
        desk.bounces.look()
    assert desk.lie() == (1, 0, 0)


def test_a_mail_is_never_put_in_the_place_of_another_and_one_that_is_gone_stops_nothing(desk: Desk) -> None:
    for raw in (dsns.REPLY, dsns.HOLIDAY):
        (desk.home / "bounces" / "new" / "1.same.host").write_bytes(raw)
        desk.inbox.move(["new/1.same.host", "new/2.gone.host"], UNKNOWN)
    kept = [path.read_bytes() for path in (desk.home / "bounces" / ".unknown" / "cur").iterdir()]
    assert sorted(kept) == sorted([dsns.REPLY, dsns.HOLIDAY])
    assert desk.inbox.read("new/2.gone.host", 10) is None


def test_a_mail_that_a_reader_of_mails_has_opened_is_taken_too(desk: Desk) -> None:
    desk.delivered()
    desk.comes(dsns.POSTFIX)
    (key,) = desk.inbox.waiting()
    (desk.home / "bounces" / key).rename(desk.home / "bounces" / "cur" / "1.x.host:2,RS")
    desk.bounces.look()
    assert desk.lie() == (0, 1, 0)


# -- what is told of the mailbox --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("", "must be maildir:/path or imaps"),
        ("maildir:here", "must be maildir:/path"),
        ("imap://b@mail.example/INBOX", "must be maildir:/path or imaps"),
        ("imaps://mail.example/INBOX", "must name user and host"),
        ("imaps://b@mail.example:no/INBOX", "must name user and host"),
        ("imaps://b:secret@mail.example/INBOX", "belongs in CPOR_BOUNCES_PASSWORD"),
        ("imaps://b@mail.example/INBOX", "belongs in CPOR_BOUNCES_PASSWORD"),
    ],
)
def test_a_wrong_mailbox_is_named_without_its_secret(told: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        source_of({"CPOR_BOUNCES": told})
    assert "secret" not in str(caught.value)


def test_an_imap_mailbox_is_named_by_user_host_and_folder(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    named = {"CPOR_BOUNCES_PASSWORD_FILE": str(tmp_path / "password")}
    told = imap_address("imaps://b%40cpor.example@mail.example/Back%20again", named)
    assert told == ImapAddress("b@cpor.example", "mail.example", 993, "Back again", "secret")
    assert "secret" not in repr(told)
    assert imap_address("imaps://b@mail.example:10993", named).folder == "INBOX"
