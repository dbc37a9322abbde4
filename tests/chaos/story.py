"""A story: what partners and reviewers say, in stages, so that its outcome depends on nothing but the words.

Within a stage everything may happen in any order: a claim is spoken about in one topic only, and of two claims that
compete only one. The next stage begins when the pipeline is at rest. So two runs of a story must give the same events,
whatever became of the workers meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cpor.domain.ids import claim_id, murmur2, name_id, tenant_partition
from cpor.domain.vocabulary import ClaimId, CommandName, Instant, PartnerId, TenantId
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic, commands_topic
from schemas import envelope
from schemas.consent import CHECKED, RESPONSE
from schemas.envelope import headers
from tests.chaos.material import (
    ACKNOWLEDGED,
    ADMIN,
    OPERATOR,
    READER,
    REVIEWER,
    as_json,
    filing,
    form,
    object_key,
    tenant,
)

PARTNERS = ("K-1", "K-2", "K-3")
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A partner's record; `type` and `message_id` may be missing, as in what no partner should send."""

    partner: str
    ref: str
    type: str | None
    value: bytes
    message_id: str | None

    def output(self, claims: int, partners: int) -> Output:
        told = {envelope.ID: self.message_id, envelope.TYPE: self.type}
        partition = (murmur2(self.ref.encode()) & 0x7FFFFFFF) % partners
        named = [(name, text.encode()) for name, text in told.items() if text is not None]
        return Output(commands_topic(self.partner), partition, self.ref.encode(), self.value, named)


@dataclass(frozen=True, slots=True)
class Ordered:
    """A command of a reviewer or a service, put into the inbox."""

    claim: ClaimId
    tenant: TenantId
    name: CommandName
    data: Data
    number: int

    def output(self, claims: int, partners: int) -> Output:
        value = as_json({"claim_id": self.claim, **self.data})
        told = headers(self.name, name_id(f"story/{self.number}"), "/reviewers/r-1", Instant(0), self.claim)
        return Output(Topic.CLAIM_COMMANDS, tenant_partition(self.tenant, claims), self.tenant.encode(), value, told)


@dataclass(frozen=True, slots=True)
class Answered:
    """A customer's answer, or what an operator writes down or finds of one."""

    claim: ClaimId
    tenant: TenantId
    data: Data
    number: int
    type: str = RESPONSE

    def output(self, claims: int, partners: int) -> Output:
        value = as_json({"claim_id": self.claim, **self.data})
        source = f"/customers/{self.tenant}"
        told = headers(self.type, name_id(f"answer/{self.number}"), source, Instant(0), self.claim)
        return Output(Topic.CONSENT_RESPONSES, tenant_partition(self.tenant, claims), self.tenant.encode(), value, told)


Word = Said | Ordered | Answered
Story = tuple[tuple[Word, ...], ...]


@dataclass
class Claim:
    """One claim of the story and what it says next."""

    partner: str
    ref: str
    tenant: TenantId
    dice: random.Random
    numbers: Iterator[int]
    said: int = 0
    last: Said | None = None
    words: list[Word] = field(default_factory=list)

    @property
    def id(self) -> ClaimId:
        return claim_id(PartnerId(self.partner), self.ref)

    def say(self, name: CommandName | str, data: Data, message_id: str | None = None) -> None:
        self.said += 1
        self.last = Said(self.partner, self.ref, name, as_json(data), message_id or f"{self.ref}-{self.said}")
        self.words.append(self.last)

    def raw(self, type_: str | None, value: bytes, message_id: str | None) -> None:
        self.words.append(Said(self.partner, self.ref, type_, value, message_id))

    def repeat(self) -> None:
        """The very record again."""
        assert self.last is not None
        self.words.append(self.last)

    def order(self, name: CommandName, **data: Any) -> None:
        self.words.append(Ordered(self.id, self.tenant, name, data, next(self.numbers)))

    def desk(self, name: CommandName, **data: Any) -> None:
        self.order(name, actor=REVIEWER, **data)

    def operator(self, name: CommandName, **data: Any) -> None:
        self.order(name, actor=OPERATOR, **data)

    def customer(self, answer: str, channel: str, **data: Any) -> None:
        said = {"answer": answer, "channel": channel, **data}
        self.words.append(Answered(self.id, self.tenant, said, next(self.numbers)))

    def found(self, finding: str, response_id: str) -> None:
        """By an operator, of an answer that is held."""
        said = {"response_id": response_id, "finding": finding, "operator": "o-1"}
        self.words.append(Answered(self.id, self.tenant, said, next(self.numbers), CHECKED))

    def create(self) -> None:
        self.say(CommandName.CREATE, form(self.tenant))

    def file(self, **changes: Any) -> None:
        self.say(CommandName.FILE, filing(self.tenant, object_key(self.partner), **changes))

    def comment(self, text: str) -> None:
        self.say(CommandName.COMMENT, {"user": ADMIN, "text": text})


Chapter = Callable[[Claim], None]

# --- A claim's chapters: one a stage --------------------------------------------------------------------------------


def _drafts(claim: Claim) -> None:
    claim.create()
    for n in range(claim.dice.randrange(4)):
        claim.comment(f"Comment {n}")
    claim.say(CommandName.EDIT, {"user": ADMIN, "claim_name": f"Renamed {claim.ref}"})


def _files(claim: Claim) -> None:
    claim.file()
    claim.comment("Filed")


def _submits_without_proof(claim: Claim) -> None:
    claim.say(CommandName.SUBMIT, {"user": ADMIN, "acknowledgements": ACKNOWLEDGED})
    claim.say(CommandName.CANCEL, {"user": ADMIN})


def misbehave(claim: Claim) -> None:
    """A repetition, a conflict, and what nobody should send; for a claim that has said something."""
    claim.repeat()
    claim.say(CommandName.COMMENT, {"user": ADMIN, "text": "Other words"}, message_id=f"{claim.ref}-1")
    claim.raw(CommandName.COMMENT, b"{no JSON", f"{claim.ref}-bad")
    claim.raw("cpor.claim.unheard_of.v1", b"{}", f"{claim.ref}-unheard-of")
    claim.raw(CommandName.COMMENT, b"{}", None)
    claim.say(CommandName.COMMENT, {"user": READER, "text": "Not mine to say"})
    claim.say(CommandName.RESUBMIT, {"user": ADMIN})


def _is_looked_at(claim: Claim) -> None:
    claim.desk(CommandName.REVIEW_START)
    claim.desk(CommandName.REVIEW_START)


def _is_approved(claim: Claim) -> None:
    claim.desk(CommandName.REVIEW_APPROVE, comment="Complete")


def _is_rejected(claim: Claim) -> None:
    claim.desk(CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin")


def _is_asked(claim: Claim) -> None:
    claim.desk(CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_products"}], comment="Which?")


def _answers(claim: Claim) -> None:
    claim.say(CommandName.EDIT, {"user": ADMIN, "workloads": ["teams"]})
    claim.say(CommandName.RESUBMIT, {"user": ADMIN, "comment": "Only Teams"})


def _disputes(claim: Claim) -> None:
    claim.say(CommandName.DISPUTE, {"user": ADMIN, "justification": "Every page is signed"})
    claim.say(CommandName.DISPUTE, {"user": ADMIN, "justification": "Twice"})


def _leaves(claim: Claim) -> None:
    claim.say(CommandName.DISASSOCIATE, {"user": ADMIN, "reason": "The project is over"})


def _withdraws(claim: Claim) -> None:
    claim.say(CommandName.WITHDRAW, {"user": ADMIN, "reason": "wrong_role"})


def _is_declined(claim: Claim) -> None:
    claim.order(CommandName.CONSENT_OUTCOME, outcome="declined")


def _wait_is_over(claim: Claim) -> None:
    """Approved by its fifth event: filed, commented, started, refused to be started again, approved."""
    claim.order(CommandName.CONSENT_OUTCOME, outcome="completed", approval=5)


def _rests(claim: Claim) -> None:
    """Nothing is said."""


LIVES: tuple[tuple[Chapter, ...], ...] = (
    (_drafts, _submits_without_proof, misbehave),
    (_files, misbehave, _is_looked_at, _is_approved, _leaves),
    (_files, _is_looked_at, _is_rejected, _disputes, _is_approved, _is_declined),
    (_files, _is_looked_at, _is_rejected, _disputes, _is_rejected, misbehave),
    (_files, _is_looked_at, _is_asked, _answers, _is_looked_at, _is_approved),
    (_drafts, _files, _is_looked_at, _is_declined, _disputes),
    (_files, _withdraws, _files),
    (_files, _is_looked_at, _is_approved, _rests, _wait_is_over, _is_declined),
)


def _rivals(first: Claim, second: Claim) -> list[tuple[Claim, Chapter]]:
    """The first is approved, the second must name it to be, and the first disputes its loss."""

    def names_the_incumbent(claim: Claim) -> None:
        claim.desk(CommandName.REVIEW_APPROVE, displaces=[first.id])

    return [
        (first, _files),
        (second, _files),
        (first, _is_looked_at),
        (first, _is_approved),
        (second, _is_looked_at),
        (second, _is_approved),
        (second, names_the_incumbent),
        (first, _disputes),
    ]


def story(seed: int, claims: int, pairs: int) -> Story:
    """`claims` lives of one claim each, and `pairs` of two that compete; the same seed tells the same story."""
    dice, numbers = random.Random(seed), iter(range(1_000_000))
    stages: list[list[Word]] = []
    for n in range(claims):
        claim = Claim(PARTNERS[n % len(PARTNERS)], f"s-{n}", tenant(n), dice, numbers)
        _tell(stages, [(claim, chapter) for chapter in LIVES[dice.randrange(len(LIVES))]])
    for n in range(pairs):
        unit = tenant(claims + n)
        two = [Claim(each, f"p-{n}", unit, dice, numbers) for each in dice.sample(PARTNERS, 2)]
        _tell(stages, _rivals(two[0], two[1]))
    return tuple(tuple(stage) for stage in stages)


def _tell(stages: list[list[Word]], chapters: list[tuple[Claim, Chapter]]) -> None:
    for n, (claim, chapter) in enumerate(chapters):
        if n == len(stages):
            stages.append([])
        chapter(claim)
        stages[n] += claim.words
        claim.words.clear()


def tenants_of(claims: int, pairs: int) -> list[TenantId]:
    """Every customer of such a story."""
    return [tenant(n) for n in range(claims + pairs)]
