"""What stands on a template before anybody writes on it: nothing, a role, or all that the claim says (R27)."""

from __future__ import annotations

from dataclasses import dataclass

from cpor.domain.policy import Policy, policy
from cpor.domain.reference import Partner
from cpor.domain.vocabulary import Edition, PartnerRole
from cpor.ops.book import Claim
from schemas.reference import Customer

#: Whose section 4 shows how use was driven; the others name their products only.
USAGE_ROLES = (PartnerRole.USAGE_RECOGNITION, PartnerRole.USE_OR_CONSUME)
#: R27, section 1: customers in these countries say whether they are of the public sector.
DISCLOSING = ("US", "PR")


@dataclass(frozen=True, slots=True)
class Content:
    """Empty texts are left to be written by hand. `workloads` are names, not codes; `disclosure`: R27, section 1."""

    rules: Policy
    role: PartnerRole | None = None
    claim_name: str = ""
    partner: str = ""
    location: str = ""
    customer: str = ""
    domain: str = ""
    tenant: str = ""
    subscription: str = ""
    signer: str = ""
    signer_title: str = ""
    workloads: tuple[str, ...] = ()
    disclosure: bool = True

    @property
    def is_usage(self) -> bool:
        """A template for any role has room for usage."""
        return self.role is None or self.role in USAGE_ROLES

    @property
    def has_subscription(self) -> bool:
        return self.role is None or bool(self.subscription)

    @property
    def role_label(self) -> str:
        """As the edition calls it (D31)."""
        return next((row.label for row in self.rules.roles if row.role is self.role), "")


def blank(role: PartnerRole | None = None) -> Content:
    """A template that is of no claim, under the newest edition."""
    return Content(policy(Edition.P2023), role)


def of_claim(claim: Claim, partner: Partner, customer: Customer | None) -> Content:
    """As the viewer of `claim` may see it: a subscription that was filled in by its last four characters (D11)."""
    form, signer = claim.state.form, claim.state.personal.customer_contact
    rules = policy(claim.state.policy)
    return Content(
        rules=rules,
        role=form.partner_role,
        claim_name=form.claim_name,
        partner=partner.name,
        location=form.location_id,
        customer=claim.customer_name or "",
        domain=form.domain or "",
        tenant=form.tenant_id,
        subscription=claim.subscription or "",
        signer=signer.name if signer else "",
        signer_title=signer.title if signer else "",
        workloads=tuple(rules.item_name(form.solution_area, code) for code in form.workloads),
        disclosure=customer is None or customer.country in DISCLOSING,
    )
