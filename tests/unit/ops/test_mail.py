"""Mails as `cpor mail` tells of them: doubles once, whichever way they are kept (contract §7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.mail import Received, parsed, received
from cpor.ops.errors import NotReachable, Refused
from cpor.ops.fates import Ledger, fates_of
from cpor.ops.instance import Instance
from cpor.ops.mail_list import ListedMail, Wanted, listed_mails, mail_json, pick, readable
from cpor.ops.mailbox import mails_of_mailpit, read_mails
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.base import write
from tests.unit.notify.test_delivery import mail as sent

CLAIM, OTHER = "329bd813-1508-54e2-8f43-89929e26cde2", "65cb1d5a-0000-5000-8000-000000000000"


def mail_id(number: int) -> str:
    return f"{number:08x}-aaaa-5aaa-8aaa-aaaaaaaaaaaa"


def raw(number: int, kind: str = "approved", claim: str = CLAIM, to: str = "anna@isar.example") -> bytes:
    """With the headers that delivery sets."""
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = f"<{mail_id(number)}@cpor.example>"
    mail["Date"] = "Mon, 02 Mar 2026 08:00:00 +0000"
    mail["To"] = f"Anna Müller <{to}>"
    mail["Subject"] = f"Übernahme {number} 株式会社"
    mail["X-CPOR-Kind"] = kind
    mail["X-CPOR-Claim"] = claim
    mail.set_content(f"Line one of {number}.\nLine two.\n", cte="quoted-printable")
    mail.add_alternative(f"<p>{number}</p>", subtype="html", cte="quoted-printable")
    return bytes(mail)


def mails(*raws: bytes) -> list[ListedMail]:
    return listed_mails(Received(Path(f"{n}.eml"), parsed(each)) for n, each in enumerate(raws))


def test_a_mail_is_listed_with_what_its_headers_say() -> None:
    (listed,) = mails(raw(1))
    assert mail_json(listed) == {
        "number": 1,
        "time": "2026-03-02T08:00:00.000Z",
        "to": "anna@isar.example",
        "subject": "Übernahme 1 株式会社",
        "kind": "approved",
        "claim_id": CLAIM,
        "message_id": f"{mail_id(1)}@cpor.example",
        "deliveries": 1,
        "state": "on_its_way",
        "attempts": 0,
        "since": None,
        "next_at": None,
        "reply": None,
    }
    assert listed.body() == "Line one of 1.\nLine two.\n"
    assert "<p>1</p>" in listed.body("html")


def test_a_mail_that_came_twice_is_one_with_two_deliveries() -> None:
    found = mails(raw(1), raw(2), raw(1))
    assert [(each.number, each.deliveries, each.header("Subject")[:11]) for each in found] == [
        (1, 2, "Übernahme 1"),
        (2, 1, "Übernahme 2"),
    ]


def entry(number: int, kind: str, attempt: int, **more: str) -> Record:
    """What the ledger tells of a mail's attempt."""
    value = {"mail_id": mail_id(number), "attempt": attempt, "at": f"2026-03-02T08:0{attempt}:00.000Z", **more}
    about = [("ce_type", f"cpor.delivery.{kind}.v1".encode())]
    return Record(Topic.DELIVERIES, 0, attempt, 0, b"t", json.dumps(value).encode(), tuple(about))


LATER = {"next_at": "2026-03-02T08:15:00.000Z", "reply": "450 busy"}


@pytest.mark.parametrize(
    ("entries", "words", "attempts"),
    [
        ([], "on its way", 0),
        ([entry(1, "deferred", 2, **LATER)], "deferred 2×, again 03-02 08:15", 2),
        ([entry(1, "deferred", 1, **LATER), entry(1, "delivered", 2)], "delivered", 2),
        ([entry(1, "delivered", 2), entry(1, "deferred", 1, **LATER)], "delivered", 2),
        ([entry(1, "superseded", 1, reason="contact_replaced"), entry(1, "deferred", 2, **LATER)], "superseded", 1),
        ([entry(1, "superseded", 1, reason="contact_replaced"), entry(1, "delivered", 2)], "delivered", 2),
        ([entry(1, "delivered", 1), entry(1, "bounced", 1, reply="550 gone")], "bounced", 1),
    ],
)
def test_what_became_of_a_mail_is_what_the_ledger_says_last_and_for_good(
    entries: list[Record], words: str, attempts: int
) -> None:
    fate = Ledger(fates_of(entries), ()).fate(f"{mail_id(1)}@cpor.example")
    assert (fate.words, fate.attempts) == (words, attempts)


def test_mails_that_nobody_has_received_come_after_the_others_and_are_found_by_their_id() -> None:
    written = [json.loads(write(sent(mail_id=mail_id(n), to_name='Eve "x\ny" 株'))) for n in (1, 2)]
    ledger = Ledger(fates_of([entry(2, "deferred", 1, **LATER)]), tuple(written))
    come = [Received(Path("1.eml"), parsed(raw(1)))]
    assert [each.number for each in listed_mails(come, ledger)] == [1]
    first, second = listed_mails(come, ledger, unreceived=True)
    assert (first.number, first.deliveries, second.number, second.deliveries) == (1, 1, None, 0)
    found = pick([first, second], mail_id(2))
    assert (found.fate.state, found.to, found.header("Subject")) == ("deferred", sent().to, sent().subject)
    assert found.body() == sent().text
    assert mail_json(found)["reply"] == "450 busy"


def test_a_mail_that_is_not_ours_is_listed_and_taken_for_no_double() -> None:
    bare = EmailMessage()
    bare.set_content("hello")
    found = mails(bare.as_bytes(), bare.as_bytes())
    assert [each.deliveries for each in found] == [1, 1]
    assert mail_json(found[0])["time"] is None
    assert found[0].to == found[0].message_id == found[0].kind == ""


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [1, 2, 3]),
        (Wanted(claim_id=CLAIM), [1, 2]),
        (Wanted(to="KIM@"), [2]),
        (Wanted(kinds=("rejected", "approved")), [1, 3]),
        (Wanted(claim_id=CLAIM, kinds=("approved",)), [1]),
    ],
)
def test_filters_narrow_and_numbers_stay_those_of_the_whole_list(wanted: Wanted, numbers: list[int]) -> None:
    found = mails(
        raw(1),
        raw(2, "customer_approved", to="kim@contoso.example"),
        raw(3, "rejected", OTHER),
    )
    assert [each.number for each in wanted.select(found)] == numbers


@pytest.mark.parametrize("name", ["2", mail_id(2), f"<{mail_id(2)}@cpor.example>", "00000002-AAAA", "00000002"])
def test_a_mail_is_found_by_number_message_id_or_the_beginning_of_one(name: str) -> None:
    assert pick(mails(raw(1), raw(2), raw(3)), name).number == 2


def test_without_a_name_the_newest_is_meant() -> None:
    assert pick(mails(raw(1), raw(2)), None).number == 2


@pytest.mark.parametrize(("name", "said"), [("9", "no mail 9"), ("000000", "could be 2"), ("0000", "no mail 0000")])
def test_a_name_that_means_none_or_several_is_refused(name: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        pick(mails(raw(1), raw(2)), name)
    with pytest.raises(Refused, match="cpor mail list"):
        pick([], None)


def test_a_mail_is_given_back_as_it_was_sent() -> None:
    sent = raw(1)
    assert mails(sent)[0].raw().encode() == sent


def test_what_would_steer_a_terminal_is_not_shown() -> None:
    assert readable("a\x1b[2Jb\nc\td\u202eé 株") == "a\ufffd[2Jb\nc\td\ufffdé 株"


# -- where they are kept ----------------------------------------------------------------------------------------------


def instance(**where: str) -> Instance:
    return Instance(Endpoints("h:1", "http://h.example", "a", "b", Path(), **where))


def test_the_sinks_directory_is_read_in_the_order_of_arrival(tmp_path: Path) -> None:
    for number in (2, 1):
        (tmp_path / f"{number:06}-x.eml").write_bytes(raw(number))
    assert [each.subject for each in read_mails(instance(mail_dir=str(tmp_path)))] == [
        each.subject for each in received(tmp_path)
    ]


def test_mails_that_somebody_elses_server_took_cannot_be_read() -> None:
    with pytest.raises(Refused, match=r"mx\.example:25"):
        read_mails(instance(smtp="mx.example:25"))


class Mailpit(BaseHTTPRequestHandler):
    """The two addresses that are asked, answered as Mailpit 1.21 does: the newest first, by offset and limit."""

    kept: dict[str, bytes | None]
    served: list[str]

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        self.served.append(where.path)
        if where.path == "/api/v1/messages":
            asked = parse_qs(where.query)
            start = int(asked["start"][0])
            names = list(reversed(self.kept))[start : start + min(2, int(asked["limit"][0]))]
            told = {"total": len(self.kept), "start": start, "messages": [{"ID": name} for name in names]}
            self._answer(200, json.dumps(told).encode())
        else:
            content = self.kept.get(where.path.split("/")[4])
            self._answer(404 if content is None else 200, content or b"message not found")

    def _answer(self, code: int, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing on stderr."""


@pytest.fixture
def mailpit() -> Iterator[Callable[[dict[str, bytes | None]], str]]:
    """Gives a server's address for the mails that it keeps, the oldest first; None is gone when it is asked for."""
    servers: list[ThreadingHTTPServer] = []

    def serve(kept: dict[str, bytes | None]) -> str:
        handler = type("Handler", (Mailpit,), {"kept": kept, "served": []})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_mailpits_mails_come_oldest_first_over_all_its_pages(
    mailpit: Callable[[dict[str, bytes | None]], str],
) -> None:
    url = mailpit({f"id{n}": raw(n) for n in range(1, 6)})
    found = listed_mails(read_mails(instance(mail_url=f"{url}/")))
    assert [each.header("Subject")[:11] for each in found] == [f"Übernahme {n}" for n in range(1, 6)]


def test_a_mail_that_mailpit_has_thrown_away_meanwhile_is_left_out(
    mailpit: Callable[[dict[str, bytes | None]], str],
) -> None:
    url = mailpit({"a": raw(1), "b": None, "c": raw(3)})
    assert [each.subject[:11] for each in mails_of_mailpit(url)] == ["Übernahme 1", "Übernahme 3"]


def test_a_mailpit_that_does_not_answer_is_told_with_its_address() -> None:
    with pytest.raises(NotReachable, match=r"127\.0\.0\.1:1 .*is it running"):
        mails_of_mailpit("http://127.0.0.1:1")
    with pytest.raises(Refused, match="CPOR_MAIL_URL"):
        mails_of_mailpit("file:///etc")
