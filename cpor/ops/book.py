"""The claims as the topics hold them: state, customer's name, and what a partner's user may see of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cpor.domain.directory import read_partner
from cpor.domain.model import ClaimState
from cpor.domain.permissions import may_see
from cpor.domain.reference import Partner, User
from cpor.domain.vocabulary import Clock, Code, UserId
from cpor.domain.wire import decode_state
from cpor.ops.errors import NotReachable, Refused, WrongUse
from cpor.ops.instance import Instance
from cpor.ops.reading import newest_rows, partition_counts
from cpor.runtime.topics import Topic
from schemas.base import read
from schemas.reference import Customer

#: So much of a claim id must be given for the claim to be found by its beginning.
SHORTEST_PREFIX = 6
#: Clocks whose end closes an action and nothing waits for: one that has run out no longer runs (T17).
CLOSING = (Clock.DISPUTE_WINDOW,)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its customer's name, as somebody sees it: `inside` is False for a partner's user (D30).

    `now`: ms since the epoch, by the instance's clock, when it was read.
    """

    state: ClaimState
    customer_name: str | None
    inside: bool = True
    now: int = 0

    @property
    def claim_id(self) -> str:
        return self.state.claim_id

    @property
    def names(self) -> dict[str, str | None]:
        """By which machine output names it."""
        state = self.state
        return {
            "claim_id": state.claim_id,
            "claim_ref": state.claim_ref,
            "partner_id": state.partner_id,
            "customer": self.customer_name,
        }

    @property
    def next_due(self) -> int | None:
        """The soonest clock that runs, also when it has run out and somebody is late."""
        due = (each.due for each in self.state.due() if each.clock not in CLOSING or each.due > self.now)
        return next(due, None)

    @property
    def subscription(self) -> str | None:
        """D11: one that was filled in is shown to the partner as its last four characters until approval."""
        told = self.state.form.subscription_id
        hidden = not self.inside and self.state.subscription_filled_in and self.state.approval is None
        return f"…{told[-4:]}" if told and hidden else told


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom claims are shown: everyone inside, or one user of one partner (D14)."""

    partner_id: str | None = None
    user: User | None = None

    @property
    def inside(self) -> bool:
        return self.user is None

    def sees(self, state: ClaimState) -> bool:
        if self.user is None:
            return True
        return state.partner_id == self.partner_id and may_see(self.user, state.form.location_id)


INSIDE = Viewer()


def find_viewer(instance: Instance, partner_id: str | None, user_id: str | None) -> Viewer:
    """Who looks. Raises WrongUse for half a name, Refused `partner_unknown` or `user_unknown`."""
    check_viewer(partner_id, user_id)
    if partner_id is None or user_id is None:
        return INSIDE
    return Viewer(partner_id, user_of(find_partner(instance, partner_id), user_id))


def check_viewer(partner_id: str | None, user_id: str | None) -> None:
    """For before an instance is looked for. Raises WrongUse for half a name."""
    if (partner_id is None) != (user_id is None):
        raise WrongUse("--as-partner and --user go together: a partner sees through one of its users")


def find_partner(instance: Instance, partner_id: str) -> Partner:
    """The partner's directory entry. Raises Refused `partner_unknown`."""
    row = newest_rows(instance.transport, Topic.PARTNERS).get(partner_id.encode())
    if row is None or row.value is None:
        raise Refused(f"{partner_id} is not in the directory; `cpor partners add` adds it", Code.PARTNER_UNKNOWN)
    return read_partner(row.value)


def user_of(partner: Partner, user_id: str) -> User:
    """Raises Refused `user_unknown`."""
    user = partner.user(UserId(user_id))
    if user is None:
        raise Refused(f"{user_id} is no user of {partner.partner_id}", Code.USER_UNKNOWN)
    return user


def read_claims(
    instance: Instance, viewer: Viewer = INSIDE, told: Callable[[int, int], None] = lambda done, of: None
) -> list[Claim]:
    """All claims that the viewer may see, the oldest first; `told` hears how many of all rows were looked at."""
    counts = partition_counts(instance.transport)
    if Topic.CLAIM_STATE not in counts:
        raise NotReachable("the instance has no topics yet: start its workers with `cpor up`")
    names, now = _customer_names(instance, counts), instance.clock.now()
    rows = newest_rows(instance.transport, Topic.CLAIM_STATE, counts).values()
    seen = []
    for number, row in enumerate(rows, start=1):
        state = decode_state(row.value or b"")
        if viewer.sees(state):
            seen.append(Claim(state, names.get(state.form.tenant_id), viewer.inside, now))
        told(number, len(rows))
    return sorted(seen, key=lambda claim: (claim.state.origin.created_at, claim.claim_id))


def _customer_names(instance: Instance, counts: dict[str, int]) -> dict[str, str]:
    rows = newest_rows(instance.transport, Topic.CUSTOMERS, counts)
    return {key.decode(): read(Customer, row.value).name for key, row in rows.items() if row.value}


def pick(claims: Iterable[Claim], wanted: str) -> Claim:
    """The claim with this id, reference, or unmistakable beginning of an id. Raises Refused `claim_unknown`."""
    known = list(claims)
    rules: tuple[Callable[[Claim], bool], ...] = (
        lambda claim: claim.claim_id == wanted.lower(),
        lambda claim: claim.state.claim_ref == wanted,
        lambda claim: len(wanted) >= SHORTEST_PREFIX and claim.claim_id.startswith(wanted.lower()),
    )
    for rule in rules:
        found = [claim for claim in known if rule(claim)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(claim.claim_id for claim in found[:5])
            raise Refused(f"{wanted} could be {len(found)} claims: {ids}", Code.CLAIM_UNKNOWN)
    raise Refused(f"there is no claim {wanted} that you may see; `cpor claims list` names them", Code.CLAIM_UNKNOWN)


def search_text(claim: Claim) -> str:
    """What `--search` looks through: ids, names, tenant, subscription (contract §7)."""
    state, form = claim.state, claim.state.form
    parts: tuple[Any, ...] = (
        state.claim_id,
        state.claim_ref,
        form.claim_name,
        state.partner_id,
        form.location_id,
        form.tenant_id,
        claim.customer_name,
        claim.subscription,
    )
    return "\n".join(part for part in parts if part).casefold()
