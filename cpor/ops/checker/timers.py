"""Clocks: each rung is told at most once, while its clock runs, never before its time (domain §2.3, D18, D19)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from cpor.domain.calendar import end_of_day
from cpor.domain.clocks import calendar_of
from cpor.domain.events import InformationRequested
from cpor.domain.model import ClockStart
from cpor.domain.vocabulary import Clock, CommandName, Instant, Status, parse_instant
from cpor.ops.checker.approvals import OVERDUE_MS
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import DEADLINES
from cpor.ops.checker.reading import PARTNER_TYPES, History, Read, Reading, Step, by_cause
from schemas import deadlines

HALF_TIME, LAST_DAY, END = 0, 1, 9
REMINDED = (Clock.PARTNER_ANSWER, Clock.DISPUTE_WINDOW)
_OVER = (Status.CANCELLED, Status.REJECTED_FINAL)

#: Claim, event that started the clock, clock, rung.
Rung = tuple[str, int, str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """A reminder, a missed clock, or an expiry in the inbox. `at`: when it was told, at the latest."""

    read: Read
    rung: Rung
    due: Instant
    at: Instant

    @property
    def clock(self) -> Clock:
        return Clock(self.rung[2])


def check_timers(reading: Reading) -> Iterator[Finding]:
    told = [*map(_of_information, reading.deadlines), *map(_of_inbox, _expiries(reading))]
    seen: Counter[Rung] = Counter()
    for each in told:
        seen[each.rung] += 1
        if seen[each.rung] == 2:
            yield _of(each, FindingCode.TIMER_DOUBLED, "The clock has told this before.")
        history = reading.history(each.rung[0])
        if history is not None:
            yield from _judge(history, each)
    if DEADLINES in reading.log.services:
        yield from _missing(reading, seen)
    yield from _fairness(reading)


def _expiries(reading: Reading) -> list[Read]:
    return [read for read in reading.inbox if read.type == CommandName.DEADLINE_EXPIRED]


def _of_information(read: Read) -> Told:
    value = read.value
    rung = (str(value["claim_id"]), int(value["started_by"]), str(value["clock"]), int(value["rung"]))
    return Told(read, rung, parse_instant(value["due"]), parse_instant(value["fired_at"]))


def _of_inbox(read: Read) -> Told:
    value = read.value
    rung = (str(value["claim_id"]), int(value["started_by"]), str(value["clock"]), END)
    return Told(read, rung, parse_instant(value["due"]), Instant(read.record.appended_at))


# -- one that was told ---------------------------------------------------------------------------------------------


def _judge(history: History, told: Told) -> Iterator[Finding]:
    start = history.step(told.rung[1])
    clock = None if start is None else next((e for e in start.event.clocks_started if e.clock == told.clock), None)
    if clock is None or clock.due != told.due or not _has_rung(told):
        yield _of(told, FindingCode.TIMER_WITHOUT_CLOCK, "The event it names started no such clock.")
        return
    at = _instant_of(clock, told.rung[3], history.state.origin.zone)
    if told.at < at:
        yield _of(told, FindingCode.TIMER_TOO_EARLY, "It is told before its time.")
    stop = _stop(history, told)
    if stop is not None and stop.appended_at < at:
        yield _of(told, FindingCode.TIMER_AFTER_STOP, f"The clock had stopped with event {stop.event.sequence}.")


def _has_rung(told: Told) -> bool:
    """Reminders of the partner's clocks; the end of each, of which only `partner_answer` acts; `consent_wait` never."""
    rung, clock = told.rung[3], told.clock
    if told.read.type == deadlines.REMINDER:
        return clock in REMINDED and rung in (HALF_TIME, LAST_DAY)
    acts = told.read.type == CommandName.DEADLINE_EXPIRED
    return rung == END and clock != Clock.CONSENT_WAIT and (clock == Clock.PARTNER_ANSWER) == acts


def _instant_of(clock: ClockStart, rung: int, zone: str) -> Instant:
    if rung == END:
        return clock.due
    if rung == HALF_TIME:
        return Instant((clock.starts_at + clock.due) // 2)
    return _before_the_last_day(clock, zone)


def _before_the_last_day(clock: ClockStart, zone: str) -> Instant:
    """The end of the business day before the clock's last day."""
    calendar = calendar_of(clock.calendar, zone)
    days = (calendar.last_day(clock.due) - timedelta(days=n) for n in range(1, 60))
    return end_of_day(next(day for day in days if calendar.is_business_day(day)), zone)


def _stop(history: History, told: Told) -> Step | None:
    """The event that stopped, paused or restarted the clock, or ended the claim."""
    later = history.steps[told.rung[1] :]
    return next((step for step in later if _stops(step, told.clock)), None)


def _stops(step: Step, clock: Clock) -> bool:
    event = step.event
    paused = event.clocks_paused if isinstance(event, InformationRequested) else ()
    started = any(each.clock == clock for each in event.clocks_started)
    halted = clock in event.clocks_stopped or any(each.clock == clock for each in paused)
    return started or halted or event.status in _OVER


# -- one that was not told -----------------------------------------------------------------------------------------


def _missing(reading: Reading, told: Counter[Rung]) -> Iterator[Finding]:
    """The end of a clock that still runs must have been told; reminders may be overtaken by what comes after them."""
    for history in reading.whole:
        state = history.state
        if state.status in _OVER:
            continue
        for clock in state.clocks:
            waits = clock.clock == Clock.CONSENT_WAIT or clock.remaining is not None
            held = clock.clock == Clock.PARTNER_ANSWER and state.parked
            if waits or held or clock.due + OVERDUE_MS >= reading.now:
                continue
            ids = {"claim": state.claim_id, "clock": clock.clock, "started_by": clock.started_by}
            if not told[state.claim_id, clock.started_by, clock.clock, END]:
                yield finding(FindingCode.TIMER_MISSING, "The clock ran out long ago, and nobody was told.", **ids)
            elif clock.clock == Clock.PARTNER_ANSWER:
                yield finding(FindingCode.TIMEOUT_WITHOUT_EFFECT, "The time-out was told and changed nothing.", **ids)


# -- the fair clock ------------------------------------------------------------------------------------------------


def _fairness(reading: Reading) -> Iterator[Finding]:
    """D19: whatever of the partner's was received before the end stands in the inbox before the expiry that acted."""
    acted = by_cause(reading.event_records)
    expiries = {
        (read.record.partition, read.value["claim_id"]): read for read in _expiries(reading) if _id(read) in acted
    }
    for read in reading.inbox:
        expiry = expiries.get((read.record.partition, read.value["claim_id"]))
        if expiry is None or read.type not in PARTNER_TYPES or read.record.offset < expiry.record.offset:
            continue
        if _is_in_time(reading, read, expiry):
            sentence = "An answer that came in time was lost to the clock."
            claim, message = read.value["claim_id"], read.told.origin
            yield finding(FindingCode.ANSWER_LOST, sentence, claim=claim, record=message, expiry=expiry.record.origin)


def _id(read: Read) -> str:
    return read.told.id or ""


def _is_in_time(reading: Reading, read: Read, expiry: Read) -> bool:
    history = reading.history(str(read.value["claim_id"]))
    start = None if history is None else history.step(int(expiry.value["started_by"]))
    received = read.told.received_at
    return (
        start is not None and received is not None and start.event.at <= received < parse_instant(expiry.value["due"])
    )


def _of(told: Told, code: FindingCode, sentence: str) -> Finding:
    claim, started_by, clock, rung = told.rung
    named = {"claim": claim, "clock": clock, "started_by": started_by, "rung": rung}
    return finding(code, sentence, **named, record=told.read.record.origin)
