"""What a mail in the mailbox of bounces says: which mail of ours it is about, and what became of it.

Reports in the form of RFC 3464 say it in fields. What mail systems write in forms of their own is recognised by its
sender, an SMTP code and our Message-ID in what they give back; in doubt it says nothing, and a person has to look. All
of it is written by others: nothing is believed but an id that the ledger knows, and nothing of its text is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser
from enum import StrEnum
from html import unescape
from typing import Any, NamedTuple

#: What is looked at of a mail: far more than any report has before our own text. Bounds the time and memory of parsing.
LARGEST = 1024 * 1024
MOST_LINES = 20_000
#: How deep parts may lie within parts.
DEEPEST = 6

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_NAME = re.compile(_UUID, re.IGNORECASE)
_MESSAGE_ID = re.compile(rf"<?({_UUID})@", re.IGNORECASE)
_MESSAGE_ID_LINE = re.compile(rf"^[> \t]{{0,20}}Message-ID:[ \t]{{0,20}}<({_UUID})@", re.IGNORECASE | re.MULTILINE)
#: Mails before ours in a thread.
_OTHERS = re.compile(r"^(References|In-Reply-To):.*(\n[ \t].*)*", re.IGNORECASE | re.MULTILINE)
#: The address that a mail was sent back to, where it names the mail.
_RETURN_ADDRESS = re.compile(rf"[+=-]({_UUID})@", re.IGNORECASE)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_CODE = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_TAG = re.compile(r"<[^<>]{0,2000}>")

_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_PARTS = ("message/rfc822", "message/global", "message/global-headers", "text/rfc822-headers")


class Fate(StrEnum):
    """What became of a mail; `OTHER`: something that needs nobody (relayed, delivered)."""

    FAILED = "failed"
    DELAYED = "delayed"
    OTHER = "other"


class Report(NamedTuple):
    """`fate` is None for what is no report; `mail_id` None where it is about no mail of ours. `status` is an enhanced
    code (RFC 3463) such as `5.1.1`, or empty.
    """

    fate: Fate | None = None
    mail_id: str | None = None
    status: str = ""


NO_REPORT = Report()


def read_report(raw: bytes) -> Report:
    """Never raises: what breaks the parser is no report."""
    lines = raw[:LARGEST].split(b"\n", MOST_LINES)[:MOST_LINES]
    try:
        return _read(message_from_bytes(b"\n".join(lines)))
    except Exception:  # the standard library's parser names no errors for what hostile mails make of it
        return NO_REPORT


def in_words(status: str) -> str:
    """The code and what it means, of our own words: a report's text may name people, and the ledger is for ever."""
    area = ".".join(status.split(".")[1:])
    meaning = _MEANINGS.get(area) or _AREAS.get(area.partition(".")[0], "")
    return " ".join(each for each in (status, meaning) if each) or "undeliverable"


def _read(message: Message) -> Report:
    parts = list(_parts(message))
    fate, status = _of_groups(group for part in parts for group in _groups(part))
    if fate is not None:
        return Report(fate, _mail_id(message, parts), status)
    return _of_text(message, parts) if _is_from_a_mail_system(message) else NO_REPORT


def _parts(message: Message, depth: int = 0) -> Iterator[Message]:
    """Every part, but none of a mail that is given back: that may be a report itself."""
    yield message
    if message.get_content_maintype() == "multipart" and depth < DEEPEST:
        for part in _inside(message):
            yield from _parts(part, depth + 1)


def _inside(part: Message) -> list[Message]:
    """What a part is made of; nothing where it is text."""
    inside: Any = part.get_payload()
    return [each for each in inside if isinstance(each, Message)] if isinstance(inside, list) else []


# -- in the form of RFC 3464 ------------------------------------------------------------------------------------------


def _groups(part: Message) -> list[Message]:
    """The groups of fields of a delivery status: one about the mail, one about each recipient."""
    if part.get_content_type() not in _STATUS_PARTS:
        return []
    inside = _inside(part)
    if part.get_content_type() == _STATUS_PARTS[0] and inside:
        return inside
    return [HeaderParser().parsestr(block) for block in re.split(r"\r?\n\r?\n", str(part))]


_ACTIONS: Mapping[str, Fate] = {
    "failed": Fate.FAILED,
    "delayed": Fate.DELAYED,
    "delivered": Fate.OTHER,
    "relayed": Fate.OTHER,
    "expanded": Fate.OTHER,
}
_CLASSES: Mapping[str, Fate] = {"5": Fate.FAILED, "4": Fate.DELAYED, "2": Fate.OTHER}


def _of_groups(groups: Iterable[Message]) -> tuple[Fate | None, str]:
    """The worst of all recipients: our mails have one, so the others are those that its address stands for, and the
    customer may be the one who was not reached (D20).
    """
    found = dict(reversed([each for each in map(_of_group, groups) if each[0] is not None]))
    return next(((fate, found[fate]) for fate in Fate if fate in found), (None, ""))


def _of_group(group: Message) -> tuple[Fate | None, str]:
    code = _CODE.search(_header(group, "Status")) or _CODE.search(_header(group, "Diagnostic-Code"))
    status = code[0] if code else ""
    action = re.match(r"\w*", _header(group, "Action").lower())
    return _ACTIONS.get(action[0] if action else "") or _CLASSES.get(status[:1]), status


def _header(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()


# -- which mail ---------------------------------------------------------------------------------------------------


def _mail_id(message: Message, parts: list[Message]) -> str | None:
    """Where it is surest first: the envelope's id, the returned headers, our return address, any text."""
    ways: tuple[Callable[[], str | None], ...] = (
        lambda: _envelope_id(parts),
        lambda: _returned_id(parts),
        lambda: _addressed_id(message),
        lambda: _id_in(_text(parts)),
    )
    return next((found for found in (way() for way in ways) if found is not None), None)


def _envelope_id(parts: list[Message]) -> str | None:
    told = (_header(group, "Original-Envelope-Id") for part in parts for group in _groups(part))
    plain = (_XTEXT.sub(lambda found: chr(int(found[1], 16)), each).strip("<> ") for each in told)
    return next((each.lower() for each in plain if _NAME.fullmatch(each)), None)


def _returned_id(parts: list[Message]) -> str | None:
    found = (_MESSAGE_ID.search(_header(head, "Message-ID")) for head in map(_returned, parts) if head is not None)
    return next((each[1].lower() for each in found if each), None)


def _returned(part: Message) -> Message | None:
    """The headers that are given back; None for another part."""
    if part.get_content_type() not in _RETURNED_PARTS:
        return None
    if part.get_content_maintype() == "message":
        return next(iter(_inside(part)), None)
    return HeaderParser().parsestr(_decoded(part))


def _addressed_id(message: Message) -> str | None:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
    found = (_RETURN_ADDRESS.search(str(told)) for name in names for told in message.get_all(name, ()))
    return next((each[1].lower() for each in found if each), None)


def _id_in(text: str) -> str | None:
    """Our id in a text; None also where it names several of ours, and no line says which."""
    line = _MESSAGE_ID_LINE.search(text)
    if line:
        return line[1].lower()
    named = {each.lower() for each in _MESSAGE_ID.findall(_OTHERS.sub("", text))}
    return named.pop() if len(named) == 1 else None


def _text(parts: list[Message]) -> str:
    return "\n".join(_text_of(part) for part in parts)


def _text_of(part: Message) -> str:
    head = _returned(part)
    if head is not None:
        return "\n".join(f"{name}: {value}" for name, value in head.items())
    broken = part.get_content_maintype() == "multipart" and not _inside(part)
    if part.get_content_maintype() != "text" and not broken:
        return ""
    text = _decoded(part)
    return unescape(_TAG.sub(" ", text)) if part.get_content_subtype() == "html" else text


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace").replace("\r\n", "\n")
    except LookupError:
        return content.decode("latin-1").replace("\r\n", "\n")


# -- in a form of its own ---------------------------------------------------------------------------------------------

_MAIL_SYSTEM = re.compile(
    r"\b(mail(er)?-?daemon|postmaster|mdaemon|mail-?delivery|microsoftexchange[0-9a-f]{32})@", re.IGNORECASE
)
_FINAL = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b|\b55\d[ -]|permanent (error|fail)", re.IGNORECASE)
_STILL = re.compile(r"not yet been delivered|be retried|still trying|will (continue|keep)|\bdelayed\b", re.IGNORECASE)


def _is_from_a_mail_system(message: Message) -> bool:
    """People's replies, and answers from holidays, name our mails too. A receipt is no bounce either."""
    report = str(message.get_param("report-type") or "delivery-status").lower()
    sender = f"{_header(message, 'From')} {_header(message, 'Sender')}"
    return report == "delivery-status" and _MAIL_SYSTEM.search(sender) is not None


def _of_text(message: Message, parts: list[Message]) -> Report:
    """By what stands before the mail that is given back."""
    text = _text(parts)
    mail = _returned_id(parts) or _addressed_id(message) or _id_in(text)
    if mail is None:
        return NO_REPORT
    said = text[: max(0, text.lower().find(mail))] or text
    if _FINAL.search(said):
        code = _CODE.search(said)
        return Report(Fate.FAILED, mail, code[0] if code else "")
    return Report(Fate.DELAYED, mail) if _STILL.search(said) else NO_REPORT


#: RFC 3463, without the class.
_AREAS: Mapping[str, str] = {
    "1": "the address",
    "2": "the mailbox",
    "3": "the mail system",
    "4": "the network",
    "5": "the protocol",
    "6": "the content",
    "7": "refused by policy",
}
_MEANINGS: Mapping[str, str] = {
    "1.1": "no such mailbox",
    "1.2": "no such domain",
    "1.3": "no valid address",
    "1.6": "the mailbox has moved",
    "1.10": "the domain takes no mail",
    "2.1": "the mailbox is disabled",
    "2.2": "the mailbox is full",
    "2.3": "too large for the mailbox",
    "3.4": "too large for the mail system",
    "4.1": "no answer from the host",
    "4.4": "no way to the host",
    "4.7": "given up after many attempts",
    "7.1": "refused by policy",
}
