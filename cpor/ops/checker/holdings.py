"""Who holds a unit: one partner at any time, and the associations topic says which (R20, D10, D17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cpor.domain import events as ev
from cpor.domain.events import Event
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import Instant, instant_text
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.reading import EventRead, History, Read, Reading


@dataclass
class Holding:
    """One claim's hold on one unit."""

    history: History
    since: Instant
    official: Instant | None = None


@dataclass
class Units:
    """Who holds what, as of the newest event looked at."""

    holders: dict[str, dict[str, Holding]] = field(default_factory=dict)
    held: dict[str, dict[str, None]] = field(default_factory=dict)

    def of_claim(self, claim: str) -> tuple[str, ...]:
        return tuple(self.held.get(claim, ()))

    def opened(self, units: tuple[str, ...], history: History, since: Instant, official: Instant | None) -> None:
        for unit in units:
            self.holders.setdefault(unit, {})[history.claim_id] = Holding(history, since, official)
            self.held.setdefault(history.claim_id, {})[unit] = None

    def released(self, units: tuple[str, ...], claim: str) -> list[str]:
        """Gives units up; those that the claim did not hold are returned."""
        for unit in units:
            self.held.get(claim, {}).pop(unit, None)
        return [unit for unit in units if self.holders.get(unit, {}).pop(claim, None) is None]

    def completed(self, claim: str, at: Instant) -> None:
        for unit in self.of_claim(claim):
            self.holders[unit][claim].official = at


def check_holdings(reading: Reading) -> Iterator[Finding]:
    """Follows the events in the order of the log, then compares what is held in the end with the associations."""
    units = Units()
    for each in _in_log_order(reading):
        history = reading.histories[each.event.claim_id]
        yield from _follow(units, history, each)
    yield from _compare(reading, units)


def _in_log_order(reading: Reading) -> list[EventRead]:
    whole = [history.events for history in reading.histories.values() if not history.broken]
    found = [each for events in whole for each in events]
    return sorted(found, key=lambda each: (each.read.record.partition, each.read.record.offset))


def _follow(units: Units, history: History, each: EventRead) -> Iterator[Finding]:
    event, claim = each.event, history.claim_id
    if isinstance(event, ev.Approved | ev.LegacyImported):
        official = event.at if isinstance(event, ev.LegacyImported) else None
        units.opened(event.units, history, event.at, official)
        yield from _rivals(units, history, each, event.units)
    elif isinstance(event, ev.ConsentCompleted):
        units.completed(claim, event.at)
    else:
        for unit in units.released(_given_up(event), claim):
            yield _at(each, FindingCode.UNITS_NOT_HELD, "A unit is given up that the claim does not hold.", unit)
    if event.status != "approved":
        yield from _left_over(units, each)


def _rivals(units: Units, history: History, each: EventRead, opened: tuple[str, ...]) -> Iterator[Finding]:
    own = history.state.partner_id
    for unit in opened:
        others = [name for name, held in units.holders[unit].items() if held.history.state.partner_id != own]
        if others:
            sentence = f"The unit is held by another partner's claim {', '.join(sorted(others))} at the same time."
            yield _at(each, FindingCode.TWO_HOLDERS, sentence, unit)


def _given_up(event: Event) -> tuple[str, ...]:
    if isinstance(event, ev.AssociationEnded):
        return event.units
    return event.units_released if isinstance(event, ev.Rejected | ev.RejectedFinal) else ()


def _left_over(units: Units, each: EventRead) -> Iterator[Finding]:
    """Nobody holds anything but by an approval."""
    claim = each.event.claim_id
    for unit in units.of_claim(claim):
        units.released((unit,), claim)
        yield _at(each, FindingCode.UNITS_NOT_RELEASED, f"The claim is {each.event.status} and keeps a unit.", unit)


def _compare(reading: Reading, units: Units) -> Iterator[Finding]:
    unsure = _units_of_broken(reading)
    for unit, holders in units.holders.items():
        row = reading.associations.get(unit)
        if unit in unsure or len({each.history.state.partner_id for each in holders.values()}) > 1:
            continue
        if holders and row is None:
            yield finding(FindingCode.ASSOCIATION_MISSING, "The unit is held, and no association says so.", unit=unit)
        elif holders and row is not None and row.value != association(unit, holders):
            yield _row(row, FindingCode.ASSOCIATION_WRONG, "The association is not what the events say.", unit)
    for unit, row in reading.associations.items():
        if row is not None and not units.holders.get(unit) and unit not in unsure:
            yield _row(row, FindingCode.ASSOCIATION_WITHOUT_HOLDER, "The association has no holder any more.", unit)


def _units_of_broken(reading: Reading) -> set[str]:
    """Units about which nothing can be said: a claim that names them has no whole history."""
    broken = [each.event for history in reading.histories.values() if history.broken for each in history.events]
    return {unit for event in broken for unit in (*getattr(event, "units", ()), *getattr(event, "units_released", ()))}


def association(unit: str, holders: dict[str, Holding]) -> dict[str, Any]:
    """The row of a unit as contract §1 has it, made of what the events said."""
    held = sorted(holders.items(), key=lambda each: (each[1].since, each[0]))
    states = [each.history.state for _, each in held]
    official = [each for _, each in held if each.official is not None]
    times = [each.official for each in official if each.official is not None]
    days = [each.origin.ends_on for each in states]
    known = [day for day in days if day is not None]
    return {
        "unit": unit,
        "partner_id": states[0].partner_id,
        "location_id": states[0].form.location_id,
        "claims": [{"claim_id": each.claim_id, "partner_role": each.form.partner_role} for each in states],
        "products": _products(unit, [each.history.state for each in official] or states),
        "held_from": instant_text(held[0][1].since),
        "official_from": instant_text(min(times)) if times else None,
        "ends_on": max(known).isoformat() if known and len(known) == len(days) else None,
    }


def _products(unit: str, states: list[ClaimState]) -> list[str]:
    """A workload is its own one product; of a subscription what its (official) claims name (R48)."""
    kind, _, name = unit.partition("/")[2].partition("/")
    if kind == "workload":
        return [name]
    return sorted({code for state in states for code in state.form.workloads})


def _at(each: EventRead, code: FindingCode, sentence: str, unit: str) -> Finding:
    event = each.event
    origin = each.read.record.origin
    return finding(code, sentence, unit=unit, claim=event.claim_id, sequence=event.sequence, record=origin)


def _row(row: Read, code: FindingCode, sentence: str, unit: str) -> Finding:
    return finding(code, sentence, unit=unit, record=row.record.origin)
