"""A small world for the domain tests: two partners, one customer, one subscription, and a claim in any status.

`World` stands in for the review service: it keeps every claim's events and state and hands `decide` its facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from cpor.domain import commands as cmd
from cpor.domain import ids
from cpor.domain.commands import Command, CommandContext, CommandData
from cpor.domain.decide import decide
from cpor.domain.events import Event
from cpor.domain.knowledge import Facts
from cpor.domain.model import (
    Actor,
    ClaimState,
    CustomerContact,
    FormData,
    PartnerContact,
    Reason,
    Revenue,
)
from cpor.domain.reference import Customer, Location, Partner, Subscription, User
from cpor.domain.result import Accepted, Decision
from cpor.domain.vocabulary import (
    MS_PER_DAY,
    Acknowledgement,
    ActorKind,
    Channel,
    ClaimId,
    Clock,
    CommandName,
    ConsentOutcome,
    DocumentId,
    EligibilityOutcome,
    Instant,
    LocationId,
    PartnerId,
    PartnerRole,
    PartnerStatus,
    SolutionArea,
    Status,
    SubscriptionId,
    SubscriptionState,
    SuspensionReason,
    TenantId,
    UnitId,
    UserId,
    UserRole,
    WithdrawReason,
    parse_instant,
)

TENANT = TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
SUBSCRIPTION = SubscriptionId("7c9e6679-7425-40de-944b-e07fc1f90ae7")
TEAMS, INTUNE = (UnitId(f"{TENANT}/workload/{each}") for each in ("teams", "intune"))
SALES_UNIT = UnitId(f"{TENANT}/subscription/{SUBSCRIPTION}")
LOCATION = LocationId("4711001")
OTHER_LOCATION = LocationId("4711002")
ADMIN = UserId("u-anna")
#: A Monday morning under P2023.
MONDAY = parse_instant("2024-03-04T08:00:00Z")
UNDER_P2020 = parse_instant("2023-03-06T08:00:00Z")
ACKNOWLEDGED = tuple(Acknowledgement)


def partner(name: str) -> Partner:
    places = tuple(
        Location(each, f"Office {each}", "DE", "Europe/Berlin", enrolled=True, region="BY")
        for each in (LOCATION, OTHER_LOCATION)
    )
    users = tuple(
        User(UserId(user), user, f"{user}@example.org", role)
        for user, role in (("u-anna", UserRole.INCENTIVES_ADMIN), ("u-bill", UserRole.BILLING_ADMIN))
    )
    return Partner(
        PartnerId(name), name, PartnerStatus.ACTIVE, "DE", "Europe/Berlin", places, users, region="BY", language="de"
    )


CUSTOMER = Customer(TENANT, "Contoso", ("contoso.example",), "JP", "Asia/Tokyo", "ja", (Channel.VOLUME_LICENSING,))
SALES = Subscription(SUBSCRIPTION, TENANT, ("sales", "power_bi"), Channel.VOLUME_LICENSING, SubscriptionState.ACTIVE)


def usage_form(*workloads: str, **changes: Any) -> FormData:
    """A Modern Work and Security form."""
    form = FormData(
        claim_name="Teams roll-out",
        location_id=LOCATION,
        tenant_id=TENANT,
        domain="contoso.example",
        solution_area=SolutionArea.MODERN_WORK_SECURITY,
        partner_role=PartnerRole.USE_OR_CONSUME,
        workloads=workloads or ("teams", "intune"),
        customer_contact=CustomerContact("Kana Ito", "CIO", "kana@contoso.example", "ja"),
        partner_contact=PartnerContact("Anna Weber", "anna@example.org", "de"),
    )
    return replace(form, **changes)


def sales_form(role: PartnerRole = PartnerRole.BUILD_INTENT_ADVISOR, **changes: Any) -> FormData:
    """A Business Applications form."""
    revenue = Revenue("Sam", "Contoso", "Route Planner") if role == PartnerRole.INFLUENCED_REVENUE else None
    return usage_form(
        "sales",
        solution_area=SolutionArea.BUSINESS_APPLICATIONS,
        partner_role=role,
        subscription_id=SUBSCRIPTION,
        revenue=revenue,
        **changes,
    )


def document(number: int = 1, *covers: str, **changes: Any) -> cmd.AttachDocument:
    digest = f"{number:064x}"
    attach = cmd.AttachDocument(
        document_id=DocumentId(ids.name_id(f"document/{number}")),
        object_key=f"accepted/x/{digest}",
        filename="poe.pdf",
        content_type="application/pdf",
        size=2048,
        sha256=digest,
        description="Signed statement of work",
        customer_signed_on=date(2023, 1, 15),
        covers=covers or ("teams", "intune"),
    )
    return replace(attach, **changes)


#: One well-formed command of every type that a claim may get.
EXAMPLES: dict[CommandName, CommandData] = {
    each.NAME: each
    for each in (
        cmd.CreateClaim(form=usage_form()),
        cmd.EditClaim(form=FormData(workloads=("teams",)), given=("workloads",)),
        cmd.CancelClaim(),
        cmd.ReserveDocument(filename="a.pdf", content_type="application/pdf", size=9, sha256="a" * 64),
        document(7),
        cmd.AmendDocument(document_id=document(1).document_id, given=("description",), description="New"),
        cmd.RemoveDocument(document_id=document(1).document_id),
        cmd.AddComment(text="Hello"),
        cmd.SubmitClaim(acknowledgements=ACKNOWLEDGED),
        cmd.FileClaim(form=usage_form(), documents=(document(1),), acknowledgements=ACKNOWLEDGED),
        cmd.ResubmitClaim(comment="Done"),
        cmd.WithdrawClaim(reason=WithdrawReason.WRONG_ROLE),
        cmd.DisputeRejection(justification="Look again"),
        cmd.DisassociateCustomer(reason="The project is over"),
        cmd.StartReview(),
        cmd.RequestInformation(reasons=(Reason("missing_products"),), comment="Which products?"),
        cmd.ApproveClaim(),
        cmd.RejectClaim(reasons=(Reason("insufficient_poe"),), comment="No"),
        cmd.AddReviewComment(text="We look into it"),
        cmd.ImportLegacy(
            partner_id=PartnerId("P-1"),
            location_id=LOCATION,
            tenant_id=TENANT,
            subscription_id=SUBSCRIPTION,
            partner_role=PartnerRole.USAGE_RECOGNITION,
            ends_on=date(2024, 6, 30),
        ),
        cmd.ResendNotice(),
        cmd.EndSubscription(ends_on=date(2024, 6, 30)),
        cmd.RecordConsent(outcome=ConsentOutcome.DECLINED),
        cmd.ExpireDeadline(clock=Clock.PARTNER_ANSWER, started_by=0, due=Instant(0)),
        cmd.ParkClaim(letter_id="letter-1"),
        cmd.UnparkClaim(letters=("letter-1",)),
        cmd.RecordEligibility(outcome=EligibilityOutcome.ELIGIBLE),
        cmd.RecordEarning(
            engagement="modern_work_security_usage",
            partner_role="use_or_consume",
            amount="12.50",
            currency="EUR",
            period="2024-03",
        ),
    )
}


@dataclass
class World:
    """Every claim of one tenant, as the review service would hold them."""

    now: Instant = MONDAY
    states: dict[ClaimId, ClaimState] = field(default_factory=dict)
    events: dict[ClaimId, list[Event]] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    customer: Customer | None = CUSTOMER
    subscriptions: dict[SubscriptionId, Subscription] = field(default_factory=lambda: {SUBSCRIPTION: SALES})

    def give(self, ref: str, data: CommandData, by: str = "P-1", **context: Any) -> Decision:
        """Decides one command about a claim and keeps what comes of it."""
        command = self.command(ref, data, by, **context)
        state = self.states.get(command.context.claim_id)
        decision = decide(state, command, self.facts(by))
        if isinstance(decision, Accepted):
            self.keep(decision)
        return decision

    def must(self, ref: str, data: CommandData, by: str = "P-1", **context: Any) -> ClaimState:
        """As `give`, for a command that has to be accepted; the claim after it."""
        decision = self.give(ref, data, by, **context)
        assert isinstance(decision, Accepted), decision
        return self.claim(ref, by)

    def claim(self, ref: str, by: str = "P-1") -> ClaimState:
        return self.states[ids.claim_id(PartnerId(by), ref)]

    def command(self, ref: str, data: CommandData, by: str = "P-1", **changes: Any) -> Command:
        context = CommandContext(
            now=self.now,
            received_at=self.now,
            actor=_actor(data, by),
            claim_id=ids.claim_id(PartnerId(by), ref),
            tenant_id=TENANT,
            origin=f"cpor.partners.{by}.commands-0-1",
            partner_id=PartnerId(by),
            claim_ref=ref,
            user_id=ADMIN,
            message_id=f"m-{len(self.log) + 1}",
        )
        return Command(replace(context, **changes), data)

    def facts(self, by: str = "P-1") -> Facts:
        return Facts(partner(by), self.customer, self.subscriptions, self.states)

    def pass_days(self, days: float) -> World:
        self.now = Instant(self.now + int(days * MS_PER_DAY))
        return self

    def filed(self, ref: str = "c", by: str = "P-1", form: FormData | None = None, doc: int = 1) -> ClaimState:
        form = form or usage_form()
        documents = (document(doc, *(form.workloads or ())),)
        rules = () if self.now < MONDAY else ACKNOWLEDGED
        return self.must(ref, cmd.FileClaim(form=form, documents=documents, acknowledgements=rules), by)

    def under_review(self, ref: str = "c", by: str = "P-1", form: FormData | None = None, doc: int = 1) -> ClaimState:
        self.filed(ref, by, form, doc)
        return self.must(ref, cmd.StartReview(), by)

    def approved(
        self, ref: str = "c", by: str = "P-1", form: FormData | None = None, doc: int = 1, **approve: Any
    ) -> ClaimState:
        self.under_review(ref, by, form, doc)
        return self.must(ref, cmd.ApproveClaim(**approve), by)

    def official(self, ref: str = "c", by: str = "P-1", form: FormData | None = None) -> ClaimState:
        claim = self.approved(ref, by, form)
        self.pass_days(8)
        assert claim.approval is not None
        passed = cmd.RecordConsent(outcome=ConsentOutcome.COMPLETED, approval=claim.approval.sequence)
        return self.must(ref, passed, by)

    def asked(self, ref: str = "c") -> ClaimState:
        self.under_review(ref)
        return self.must(ref, EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])

    def rejected(self, ref: str = "c", reason: str = "insufficient_poe") -> ClaimState:
        self.under_review(ref)
        return self.must(ref, cmd.RejectClaim(reasons=(Reason(reason),), comment="No"))

    def disputed(self, ref: str = "c") -> ClaimState:
        self.rejected(ref)
        return self.must(ref, cmd.DisputeRejection(justification="Look again"))

    def keep(self, decision: Accepted) -> None:
        self.states.update(decision.states)
        for event in decision.events:
            self.log.append(event)
            self.events.setdefault(event.claim_id, []).append(event)


def in_status(status: Status, now: Instant = MONDAY) -> World:
    """A world whose claim `c` of partner P-1 stands in `status`, with one document."""
    world = World(now)
    if status in (Status.DRAFT, Status.CANCELLED):
        world.must("c", cmd.CreateClaim(form=usage_form()))
        world.must("c", document(1))
    match status:
        case Status.CANCELLED:
            world.must("c", cmd.CancelClaim())
        case Status.SUBMITTED:
            world.filed()
        case Status.UNDER_REVIEW:
            world.under_review()
        case Status.PARTNER_ACTION_REQUIRED:
            world.asked()
        case Status.APPROVED:
            world.approved()
        case Status.REJECTED:
            world.rejected()
        case Status.DISPUTED:
            world.disputed()
        case Status.REJECTED_FINAL:
            world.disputed()
            world.must("c", EXAMPLES[CommandName.REVIEW_REJECT])
    assert world.claim("c").status == status
    return world


def _actor(data: CommandData, by: str) -> Actor:
    name = data.NAME
    if name.startswith("cpor.review"):
        return Actor(ActorKind.REVIEWER, "r-1")
    if name.startswith("cpor.ops"):
        return Actor(ActorKind.OPERATOR, "o-1")
    if name == CommandName.CONSENT_OUTCOME:
        return Actor(ActorKind.CUSTOMER, TENANT)
    if name.startswith(("cpor.deadline", "cpor.eligibility", "cpor.earning", "cpor.claim.park", "cpor.claim.unpark")):
        return Actor(ActorKind.SYSTEM, "service")
    return Actor(ActorKind.PARTNER, ADMIN)


def answer_expiry(world: World) -> cmd.ExpireDeadline:
    """The end of the partner's time to answer."""
    clock = world.claim("c").clock(Clock.PARTNER_ANSWER)
    assert clock is not None
    return cmd.ExpireDeadline(clock=clock.clock, started_by=clock.started_by, due=clock.due)


def consent_said(world: World, what: ConsentOutcome, reason: SuspensionReason | None = None) -> cmd.RecordConsent:
    """What consent says of the standing approval."""
    approval = world.claim("c").approval
    assert approval is not None
    return cmd.RecordConsent(outcome=what, approval=approval.sequence, reason=reason)
