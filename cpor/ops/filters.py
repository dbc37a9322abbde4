"""The filters of `cpor claims list` (contract §7): a claim is shown when it passes all that were given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from cpor.domain.vocabulary import Engagement, SolutionArea, Status, parse_instant
from cpor.ops.book import Claim, search_text
from cpor.ops.errors import WrongUse


@dataclass(frozen=True, slots=True)
class Filters:
    """None means: any. Of a tuple, one is enough. `due_before` is an instant in ms since the epoch."""

    search: str | None = None
    status: tuple[str, ...] | None = None
    area: tuple[str, ...] | None = None
    engagement: tuple[str, ...] | None = None
    location: str | None = None
    tenant: str | None = None
    workload: str | None = None
    subscription: str | None = None
    due_before: int | None = None

    def passes(self, claim: Claim) -> bool:
        wanted = ((_RULES[field.name], getattr(self, field.name)) for field in fields(self))
        return all(rule(claim, value) for rule, value in wanted if value is not None)

    def select(self, claims: Iterable[Claim]) -> list[Claim]:
        return [claim for claim in claims if self.passes(claim)]


_RULES: Mapping[str, Callable[[Claim, Any], bool]] = {
    "search": lambda c, text: text.casefold() in search_text(c),
    "status": lambda c, names: c.state.status in names,
    "area": lambda c, names: c.state.form.solution_area in names,
    "engagement": lambda c, names: c.state.form.engagement in names,
    "location": lambda c, name: c.state.form.location_id == name,
    "tenant": lambda c, name: c.state.form.tenant_id == name.lower(),
    "workload": lambda c, name: name in c.state.form.workloads,
    "subscription": lambda c, name: c.subscription is not None and c.subscription == name.lower(),
    "due_before": lambda c, instant: c.next_due is not None and c.next_due < instant,
}


def one_of(kind: type[StrEnum], text: str | None, option: str) -> tuple[str, ...] | None:
    """Words of a closed list, with commas between them. Raises WrongUse naming the list."""
    if text is None:
        return None
    words = tuple(word.strip() for word in text.split(","))
    for word in words:
        if word not in list(kind):
            raise WrongUse(f"{option} can be {', '.join(kind)}, not {word or 'empty'}")
    return words


def read(
    *,
    status: str | None,
    area: str | None,
    engagement: str | None,
    due_before: str | None,
    **others: str | None,
) -> Filters:
    """Filters as they were typed; `others` are taken as they are. Raises WrongUse naming the option."""
    return Filters(
        status=one_of(Status, status, "--status"),
        area=one_of(SolutionArea, area, "--area"),
        engagement=one_of(Engagement, engagement, "--engagement"),
        due_before=instant(due_before),
        **others,
    )


def instant(text: str | None, option: str = "--due-before") -> int | None:
    """`2026-03-10` (its beginning, in UTC) or an RFC 3339 instant, in ms since the epoch. Raises WrongUse."""
    if text is None:
        return None
    try:
        return parse_instant(f"{text}T00:00:00Z" if len(text) == len("2026-03-10") else text)
    except ValueError:
        raise WrongUse(f"{option} takes a date such as 2026-03-10 or an instant such as 2026-03-10T09:00:00Z") from None
