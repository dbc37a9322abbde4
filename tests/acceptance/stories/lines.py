"""What the topics have of a story, as lines that anybody can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar
from pydantic_core import from_json

from cpor.domain.vocabulary import Code, EventName, parse_instant
from cpor.domain.wire import event_name
from cpor.ops.checker import PipelineLog
from cpor.ops.history import changes_of
from cpor.runtime.record import Record
from schemas import consent, deadlines, envelope, handoff
from schemas.mail import BOUNCED, MAIL, MailKind
from tests.acceptance.stories.telling import Moment, Teller, day_words

Value = Mapping[str, Any]
#: Sequences of a claim are below.
LAST = 999
HANDED = {
    handoff.ELIGIBLE: "handed off",
    handoff.ELIGIBLE_REVOKED: "hand-off revoked",
    handoff.ELIGIBLE_ENDED: "hand-off ended",
}
#: The customer's notices first, then what becomes of the claim.
KINDS = list(MailKind)
WHOM = {"customer": "the customer", "partner": "the partner", "partner_user": "the user", "operations": "operations"}
CLOCKS = {
    "review_start": "the review should begin",
    "review_decision": "a decision should come",
    "overall_decision": "the first decision should come",
    "partner_answer": "the partner can answer",
    "dispute_answer": "the dispute should be answered",
    "dispute_window": "the partner can dispute",
    "consent_wait": "the customer's days run",
}


@dataclass(frozen=True)
class Line:
    """`order`: events first and by their sequence, then hand-offs, then mails."""

    order: tuple[int, int, str]
    at: int
    text: str


def lines_by_moment(teller: Teller, log: PipelineLog) -> list[tuple[Moment, list[str]]]:
    """Each date of the story with what was recorded from then until the next, without repetition."""
    lines = sorted(story_lines(teller, log), key=lambda each: (local_day(each.at, teller.zone), each.order))
    ends = [each.instant for each in teller.moments[1:]] + [2**62]
    told = [
        [dated(each, moment, teller.zone) for each in lines if moment.instant <= each.at < end]
        for moment, end in zip(teller.moments, ends, strict=True)
    ]
    return [(moment, [*dict.fromkeys(moment.looked + each)]) for moment, each in zip(teller.moments, told, strict=True)]


def dated(line: Line, moment: Moment, zone: ZoneInfo) -> str:
    """With its day, where that is a later one than the moment's."""
    day = local_day(line.at, zone)
    return line.text if day == local_day(moment.instant, zone) else f"{day_words(day)}: {line.text}"


def local_day(at: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at / 1000, zone).date()


def story_lines(teller: Teller, log: PipelineLog) -> Iterator[Line]:
    several = len(teller.refs) > 1
    for number, (claim_id, ref) in enumerate(teller.refs.items()):
        name = f"{ref}: " if several else ""
        for line in claim_lines(claim_id, ref, log, teller.zone):
            text = named(line.text, teller.refs)
            yield Line((line.order[0], number * (LAST + 1) + line.order[1], line.order[2]), line.at, f"{name}{text}")


def named(text: str, refs: Mapping[str, str]) -> str:
    for claim_id, ref in refs.items():
        text = text.replace(claim_id, ref)
    return text


def claim_lines(claim_id: str, ref: str, log: PipelineLog, zone: ZoneInfo) -> Iterator[Line]:
    for record in (*log.events, *log.eligible, *log.deadlines, *log.consent, *log.mails, *log.deliveries):
        tell = TELLERS.get((record.header(envelope.TYPE) or ""), nothing)
        if (envelope.SUBJECT, claim_id.encode()) in record.headers:
            yield from tell(from_json(record.value or b"{}"), record, zone)
    for record in log.receipts:
        value = from_json(record.value or b"{}")
        if value["claim_ref"] == ref:  # where no claim came of it, it has no id
            yield from refusal(value)


def nothing(value: Value, record: Record, zone: ZoneInfo) -> Iterator[Line]:
    """Of what only says that something is under way."""
    yield from ()


def event(value: Value, record: Record, zone: ZoneInfo) -> Iterator[Line]:
    yield Line((0, value["sequence"], ""), parse_instant(value["at"]), event_text(record, value, zone))


def event_text(record: Record, value: Value, zone: ZoneInfo) -> str:
    name = event_name(record.header(envelope.TYPE) or "")
    told = list(changes_of(name, {**value, "clocks_started": ()}, inside=True))
    told += [clock_words(each, zone) for each in value.get("clocks_started", ())]
    status = value.get("status")
    after = f" → {status}" if status and status != name.value and name is not EventName.COMMAND_REFUSED else ""
    return f"{value['actor']['kind']}: {name.value.replace('_', ' ')}{after}{'; ' if told else ''}{'; '.join(told)}"


def clock_words(clock: Value, zone: ZoneInfo) -> str:
    return f"{CLOCKS[clock['clock']]} until {last_day(parse_instant(clock['due']), zone)}"


def last_day(end: int, zone: ZoneInfo) -> str:
    """The last whole day before an instant in ms since the epoch (D28)."""
    return day_words(local_day(end - 1, zone))


def handed_off(value: Value, record: Record, zone: ZoneInfo) -> Iterator[Line]:
    kind = HANDED[record.header(envelope.TYPE) or ""]
    why = value.get("incentive_reason") or value.get("reason") or value.get("ends_on")
    what = f"{value['incentive']} ({why})" if why and "incentive" in value else why or value["incentive"]
    units = ", ".join(sorted(each.partition("/")[2] for each in value["units"]))
    at = parse_instant(envelope.read_envelope(record.headers).time or "")
    yield Line((1, value["approval"], kind), at, f"{kind}: {what}: {units}")


def missed(value: Value, record: Record, zone: ZoneInfo) -> Iterator[Line]:
    text = f"over: {clock_words(value, zone)}"
    yield Line((1, value["started_by"], text), parse_instant(value["fired_at"]), text)


def ignored(value: Value, record: Record, zone: ZoneInfo) -> Iterator[Line]:
    yield Line((1, 0, ""), parse_instant(value["at"]), f"the customer's answer changes nothing: {value['reason']}")


def refusal(receipt: Value) -> Iterator[Line]:
    """What a partner was answered, where its message was not taken."""
    if receipt["code"] != Code.ACCEPTED:
        codes = dict.fromkeys([receipt["code"], *(each["code"] for each in receipt["errors"])])
        text = f"answer to the partner: {', '.join(codes)}"
        yield Line((0, LAST, text), parse_instant(receipt["decided_at"]), text)


def mail(value: Value, record: Record, zone: ZoneInfo) -> Iterator[Line]:
    """In the recipient's language, with the last day of the calendar file that comes with it."""
    kind = value["kind"].replace("_", " ")
    whom, end = WHOM[value["recipient"]], calendar_end(value, zone)
    text = f"mail to {whom} ({kind}, {value['language']}): “{value['subject']}”{end}"
    yield Line((2, KINDS.index(value["kind"]), value["recipient"]), parse_instant(value["at"]), text)


def calendar_end(mail: Value, zone: ZoneInfo) -> str:
    if not mail.get("calendar"):
        return ""
    (entry,) = Calendar.from_ical(mail["calendar"]).walk("VEVENT")
    return f" – until {last_day(int(entry.decoded('dtend').timestamp() * 1000), zone)}"


def bounced(value: Value, record: Record, zone: ZoneInfo) -> Iterator[Line]:
    yield Line((3, 0, ""), parse_instant(value["at"]), f"the mail to {WHOM[value['recipient']]} came back")


#: Type of a record → how it is told.
TELLERS: Mapping[str, Callable[[Value, Record, ZoneInfo], Iterator[Line]]] = {
    **{each.ce_type: event for each in EventName},
    **dict.fromkeys(HANDED, handed_off),
    deadlines.MISSED: missed,
    consent.IGNORED: ignored,
    MAIL: mail,
    BOUNCED: bounced,
}
