"""Reference records read from files (contract §8): all that is wrong with them, before anything is written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from cpor.domain.calendar import place_fault
from cpor.domain.vocabulary import Code
from cpor.ops.errors import Refused, WrongUse
from schemas.base import Message, check
from schemas.errors import field_errors
from schemas.reference import Customer, Partner, Subscription

M = TypeVar("M", bound=Message)
#: More than a person reads; the rest is counted.
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (`line 3`, a file), its code, and a plain sentence."""

    where: str
    code: Code
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.code.value}: {self.detail}"


def refuse(problems: list[Problem], what: str) -> None:
    """Raises Refused with all problems, one a line; does nothing where there are none."""
    if not problems:
        return
    shown = [str(each) for each in problems[:MOST_SHOWN]]
    left = len(problems) - len(shown)
    more = [f"… and {left} more"] if left > 0 else []
    raise Refused("\n".join([f"nothing was written: {what}", *shown, *more]))


def read_text(path: Path) -> str:
    """The file's text. Raises WrongUse where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise WrongUse(f"{path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise WrongUse(f"{path} is not UTF-8 text (byte {fault.start})") from None


def parse(model: type[M], text: str, where: str) -> tuple[M | None, list[Problem]]:
    """A record, or everything that is wrong with its shape."""
    try:
        return check(model, text), []
    except ValidationError as fault:
        told = field_errors(fault)
    if told.malformed is not None:
        return None, [Problem(where, Code.MALFORMED_JSON, told.malformed)]
    return None, [Problem(where, each.code, _sentence(each.field, each.detail)) for each in told.errors]


def _sentence(field: str, detail: str) -> str:
    return f"{field}: {detail}" if field else detail


# -- partners ---------------------------------------------------------------------------------------------------


def read_partners(path: Path) -> list[Partner]:
    """The partner, or list of partners, of a JSON file. Raises Refused with all that is wrong."""
    text = read_text(path)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as fault:
        refuse([Problem(str(path), Code.MALFORMED_JSON, f"The file is not JSON: {fault}.")], "the file has a fault")
    entries = value if isinstance(value, list) else [value]
    partners: list[Partner] = []
    problems: list[Problem] = []
    for number, entry in enumerate(entries):
        where = f"{path.name}[{number}]" if isinstance(value, list) else path.name
        partner, wrong = parse(Partner, json.dumps(entry), where)
        problems += wrong or [Problem(where, Code.INVALID_FIELDS, text) for text in partner_faults(partner)]
        partners += [partner] if partner else []
    problems += _twice(partners, path)
    refuse(problems, "the partner's entry has faults")
    return partners


def partner_faults(partner: Partner | None) -> Iterator[str]:
    """What the shape does not show: places and zones, ids named twice, users of locations that are not there."""
    if partner is None:
        return
    locations = [each.location_id for each in partner.locations]
    yield from _unknown_places(partner)
    yield from _unknown_zones(partner)
    for what, ids in (("location", locations), ("user", [each.user_id for each in partner.users])):
        yield from (f"{what} {each} is named twice." for each, times in Counter(ids).items() if times > 1)
    for user in partner.users:
        unknown = [each for each in user.locations or () if each not in locations]
        yield from (f"user {user.user_id}: {each} is no location of this partner." for each in unknown)


def _unknown_places(partner: Partner) -> Iterator[str]:
    """A place whose holidays nobody knows would be given weekdays only, or its country's holidays, in silence (D18)."""
    of_locations = [(f"location {each.location_id}", each.country, each.region) for each in partner.locations]
    for whose, country, region in [("partner", partner.country, partner.region), *of_locations]:
        fault = place_fault(country, region)
        if fault:
            yield f"{whose}: {fault}"


def _unknown_zones(partner: Partner) -> Iterator[str]:
    of_locations = [(f"location {each.location_id}", each.timezone) for each in partner.locations]
    for whose, zone in [("partner", partner.timezone), *of_locations]:
        if not zone_exists(zone):
            yield f"{whose}: {zone} is no time zone; use a name such as Europe/Berlin."


def zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _twice(partners: Iterable[Partner], path: Path) -> list[Problem]:
    times = Counter(each.partner_id for each in partners)
    return [
        Problem(path.name, Code.INVALID_FIELDS, f"partner {each} is named twice.") for each, n in times.items() if n > 1
    ]


# -- customers and subscriptions ----------------------------------------------------------------------------------

_MODELS: dict[str, type[Customer] | type[Subscription]] = {"customer": Customer, "subscription": Subscription}


def read_reference(path: Path, told: Callable[[int], None] = lambda _: None) -> list[Customer | Subscription]:
    """All records of an NDJSON file. Raises Refused with every bad line; `told` hears of each line read."""
    records: list[Customer | Subscription] = []
    problems: list[Problem] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            record, wrong = read_line(line, f"line {number}")
            records += [record] if record else []
            problems += wrong
        told(1)
    bad = len({each.where for each in problems})
    refuse(problems, f"{bad} of {bad + len(records)} lines have faults")
    return records


def read_line(line: str, where: str) -> tuple[Customer | Subscription | None, list[Problem]]:
    model, wrong = _model_of(line, where)
    if model is None:
        return None, wrong
    record, wrong = parse(model, line, where)
    if isinstance(record, Customer) and record.timezone is not None and not zone_exists(record.timezone):
        wrong = [Problem(where, Code.INVALID_FIELDS, f"timezone: {record.timezone} is no time zone.")]
    return (None, wrong) if wrong else (record, [])


def _model_of(line: str, where: str) -> tuple[type[Customer] | type[Subscription] | None, list[Problem]]:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError) as fault:
        return None, [Problem(where, Code.MALFORMED_JSON, f"The line is not JSON: {fault}.")]
    kind = value.get("kind") if isinstance(value, dict) else None
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is not None:
        return model, []
    hint = "Partners are added by `cpor partners add`." if kind == "partner" else "It can be customer or subscription."
    return None, [Problem(where, Code.INVALID_FIELDS, f"kind: {hint}")]
