"""What a story can ask the stage for: a message of anybody who takes part, a file, days that pass."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cpor.domain.vocabulary import Code, CommandName, EventName, TenantId
from cpor.ops.demo.material import Proof
from schemas.consent import Answer
from schemas.reference import Subscription

Header = tuple[str, bytes]


@dataclass(frozen=True)
class Say:
    """A partner's command; the answer is its `Receipt`, whose code must be `expect` or among its `errors`."""

    partner_id: str
    claim_ref: str
    command: CommandName
    data: Mapping[str, Any]
    expect: Code = Code.ACCEPTED
    message_id: str | None = None


@dataclass(frozen=True)
class SayRaw:
    """A record that no partner should send, as it is; the answer is its `Receipt`."""

    partner_id: str
    claim_ref: str
    value: bytes
    headers: tuple[Header, ...]
    expect: Code


@dataclass(frozen=True)
class Decide:
    """A command into review's inbox; the answer is its `Outcome`. `expect` None: it is not refused."""

    command: CommandName
    claim_id: str
    tenant_id: TenantId
    data: Mapping[str, Any]
    source: str
    expect: Code | None = None


@dataclass(frozen=True)
class Upload:
    """The presigned POST of a receipt; the answer is the store's HTTP status."""

    where: Mapping[str, Any]
    proof: Proof


@dataclass(frozen=True)
class Put:
    """A file for the bulk path; the answer is the document as `cpor.claim.file.v1` takes it. `make` runs off stage."""

    partner_id: str
    name: str
    proof: Proof
    #: Declared of the file instead of the truth.
    declared: Mapping[str, Any] = field(default_factory=dict)
    #: False: it is declared, but never put into the store.
    uploaded: bool = True


@dataclass(frozen=True)
class Respond:
    """A customer's answer: on the page of the newest notice's link, or by phone (`operator`: who checked it).

    `expect` is the event it must bring about on the claim, or `held` or `ignored` where it brings about none.
    """

    claim_id: str
    tenant_id: TenantId
    answer: Answer
    expect: str
    by_phone: bool = False
    operator: str | None = None


@dataclass(frozen=True)
class Result:
    """What an incentive system decided of a claim; `expect` is the event that tells the partner (D29)."""

    command: CommandName
    claim_id: str
    tenant_id: TenantId
    data: Mapping[str, Any]
    expect: str = EventName.INCENTIVE_RESULT


@dataclass(frozen=True)
class Refer:
    """The reference feed says something new of a subscription. The answer is None."""

    subscription: Subscription


@dataclass(frozen=True)
class Wait:
    """Days on the test clock; they pass when all stories wait. The answer is None."""

    days: int = 1


@dataclass(frozen=True)
class Until:
    """Until the test clock shows this instant, ms; it gets there when all stories wait. The answer is None."""

    instant: int


Ask = Say | SayRaw | Decide | Respond | Result | Refer | Upload | Put | Wait | Until
#: A story yields what it asks for and is sent the answer.
Story = Generator[Ask, Any, None]
