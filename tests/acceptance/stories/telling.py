"""The language of the worked examples: a story is told by its dates, and its words drive the test and the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cpor.domain import ids
from cpor.domain.vocabulary import (
    Code,
    CommandName,
    Edition,
    PartnerId,
    PartnerRole,
    SubscriptionId,
    TenantId,
    WithdrawReason,
)
from cpor.ops.book import find_viewer, pick, read_claims
from cpor.ops.demo.act import ACKNOWLEDGED, OPERATOR, Act, attached
from cpor.ops.demo.asks import Decide, Respond, Say, Story, Until
from cpor.ops.demo.material import Proof, Subject
from cpor.ops.demo.world import HOMES, Home
from cpor.ops.instance import Instance
from schemas.consent import Answer
from tests.acceptance.stories.visiting import Visitor

#: All in English, so that the pages can be read; a second partner in Germany competes with the first.
ISAR, SUMIDA, IPE, TEJO, TAMSUI, CASCADE = (replace(home, language="en") for home in HOMES)
ELBE = replace(ISAR, partner_id="P-1007", partner_name="Elbe Digital AG", cities=("Hamburg", "Dresden"))
PARTNERS = (ISAR, SUMIDA, IPE, TEJO, TAMSUI, CASCADE, ELBE)
#: Customers and subscriptions of Elbe are those of Isar.
COUNTRIES = PARTNERS[:-1]


@dataclass(frozen=True)
class Claim(Act):
    """An act as its edition asks for it: acknowledgements (D31), and a technical contact (2020's form)."""

    edition: Edition = Edition.P2023

    @property
    def acknowledged(self) -> list[str]:
        return ACKNOWLEDGED if self.edition == Edition.P2023 else []

    def form(self, **changes: Any) -> dict[str, Any]:
        form = self.subject.form()
        if self.edition == Edition.P2020 and self.subject.subscription:
            form["technical_contact"] = {"name": "Desk", "email": f"desk@{self.partner_id.lower()}.example"}
        whole = {**form, **changes}
        return {name: each for name, each in whole.items() if each is not None}

    def filed(self, **changes: Any) -> Story:
        """The form and the proof in one message."""
        document = yield self.put(self.proof())
        yield self.file([document], **changes)

    def step_by_step(self, **changes: Any) -> Story:
        yield self.create(**changes)
        yield from attached(self, self.proof())
        yield self.submit()

    def another_document(self, days_ago: int = 2, **settings: Any) -> Story:
        """Of these days; `settings` are of the attach."""
        proof = self.proof(days_ago=days_ago)
        yield from self.with_document(proof, **settings)

    def with_document(self, proof: Proof, **settings: Any) -> Story:
        reserved = yield self.reserve(proof, user="u-billing")
        yield self.upload(reserved, proof)
        yield self.attach(reserved, proof, user="u-billing", **settings)

    def changes(self, *, expect: Code = Code.ACCEPTED, **fields: Any) -> Say:
        return self.say(CommandName.EDIT, fields, expect=expect, user="u-global")

    def gives_up(self, **settings: Any) -> Say:
        return self.withdraw(WithdrawReason.NO_LONGER_WORKS_WITH_CUSTOMER, **settings)

    def held_subscription(self) -> str:
        assert self.subject.subscription is not None
        return self.subject.subscription.subscription_id

    def says_by_phone(self, answer: Answer, expect: str) -> Respond:
        """The operator has called back on the number on record."""
        return Respond(self.claim_id, self.tenant_id, answer, expect, by_phone=True, operator=OPERATOR)


@dataclass
class Moment:
    """A date of a story: what happens then, and what everybody must see before the next one."""

    instant: int
    when: str
    words: str
    seen: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    #: What somebody saw who looked just then.
    looked: list[str] = field(default_factory=list)


@dataclass
class Teller:
    """Takes down one story while it is played."""

    edition: Edition
    home: Home
    instance: Instance
    numbers: Callable[[], int]
    moments: list[Moment] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    #: Claim id → reference, also of records that nobody filed.
    refs: dict[str, str] = field(default_factory=dict)
    whole: bool = False

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.home.timezone)

    def on(self, when: str, words: str) -> Until:
        """`2021-03-02 09:00`, in the time zone of the story."""
        local = datetime.fromisoformat(when).replace(tzinfo=self.zone)
        self.moments.append(Moment(int(local.timestamp() * 1000), f"{day_words(local)}, {local:%H:%M}", words))
        return Until(self.moments[-1].instant)

    def sees(self, *texts: str) -> None:
        """Each must stand in a line of what is recorded from the newest date to the next."""
        self.moments[-1].seen += texts

    def misses(self, *texts: str) -> None:
        self.moments[-1].unseen += texts

    def looks(self, claim: Claim) -> None:
        """The partner's user looks at the claim's subscription (D11)."""
        viewer = find_viewer(self.instance, claim.partner_id, "u-claims")
        seen = pick(read_claims(self.instance, viewer), claim.claim_id)
        self.moments[-1].looked.append(f"the partner sees the subscription as {seen.subscription}")

    def answers_on_the_page(self, claim: Claim, answer: Answer) -> None:
        """The customer follows the link of the newest mail and presses a button."""
        says = Visitor(self.instance, claim.claim_id).answers(answer)
        self.moments[-1].looked.append(f"the customer's page says: “{says}”")

    def today(self) -> date:
        return datetime.fromtimestamp(self.instance.clock.now() / 1000, self.zone).date()

    def workloads(self, customer: int, *workloads: str, home: Home | None = None) -> Claim:
        """A claim of Modern Work on one of the country's customers."""
        return self._claim(home or self.home, customer, PartnerRole.USE_OR_CONSUME, workloads, None)

    def sold(self, customer: int, role: PartnerRole, number: int = 0) -> Claim:
        """A claim of Business Applications on one of a customer's subscriptions."""
        tenant = self.home.buyers[customer].tenant_id
        found = [each for each in self.home.subscriptions if each.tenant_id == tenant][number]
        return self._claim(self.home, customer, role, found.products, found.subscription_id)

    def _claim(
        self, home: Home, customer: int, role: PartnerRole, workloads: tuple[str, ...], sold: str | None
    ) -> Claim:
        found = next((each for each in self.home.subscriptions if each.subscription_id == sold), None)
        subject = Subject(home, self.numbers(), self.home.buyers[customer], role, workloads, found)
        claim = Claim(subject, self.today, self.edition)
        self.claims.append(claim)
        self.refs[claim.claim_id] = claim.claim_ref
        return claim

    def imports(self, claim: Claim, ends_on: str) -> Decide:
        """D23: the association of before on the claim's subscription, with its last day."""
        sold = claim.held_subscription()
        ref = ids.legacy_reference(claim.tenant_id, SubscriptionId(sold), claim.subject.role)
        told = {
            "partner_id": claim.partner_id,
            "location_id": claim.subject.location_id,
            "tenant_id": claim.tenant_id,
            "subscription_id": sold,
            "partner_role": claim.subject.role,
            "ends_on": ends_on,
        }
        record = ids.claim_id(PartnerId(claim.partner_id), ref)
        self.refs[record] = "the record of before"
        order = claim.operate(CommandName.OPS_IMPORT_LEGACY, **told)
        return replace(order, claim_id=record, tenant_id=TenantId(claim.tenant_id))


def day_words(day: date) -> str:
    """`Tue 2 March 2021`."""
    return f"{day:%a} {day.day} {day:%B} {day.year}"


@dataclass(frozen=True)
class Tale:
    """A worked example: who takes part, the rules it shows, and how it goes."""

    name: str
    title: str
    edition: Edition
    home: Home
    who: str
    rules: str
    play: Callable[[Teller], Story]

    def told(self, teller: Teller) -> Story:
        yield from self.play(teller)
        teller.whole = True


class Book:
    """The stories of one edition, in their order."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.tales: list[Tale] = []

    def tale(self, title: str, home: Home, who: str, rules: str) -> Callable[[Callable[[Teller], Story]], Tale]:
        """Makes a tale of the function below, and puts it into the book."""

        def made(play: Callable[[Teller], Story]) -> Tale:
            self.tales.append(Tale(play.__name__, title, self.edition, home, who, rules, play))
            return self.tales[-1]

        return made
