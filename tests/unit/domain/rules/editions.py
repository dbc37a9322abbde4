"""The same claim under both editions: worlds, whole forms and answers, so that a rule is shown in each that has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.associations import Association, associations_after
from cpor.domain.handoff import HandoffType, handoffs
from cpor.domain.model import ClaimState, FormData, TechnicalContact
from cpor.domain.policy import Policy, policy
from cpor.domain.result import Accepted, Decision, Refused
from cpor.domain.vocabulary import Code, Edition, Instant, PartnerRole, Status, UnitId
from tests.unit.domain.claims import MONDAY, UNDER_P2020, World, document, in_status, sales_form, usage_form

BEGINS: dict[Edition, Instant] = {Edition.P2020: UNDER_P2020, Edition.P2023: MONDAY}
BUSINESS_ROLES = (PartnerRole.BUILD_INTENT_ADVISOR, PartnerRole.USAGE_RECOGNITION, PartnerRole.INFLUENCED_REVENUE)

#: Runs a test once in each edition.
IN_BOTH = pytest.mark.parametrize("edition", Edition)


def world_of(edition: Edition) -> World:
    """A Monday morning on which claims of this edition begin."""
    return World(BEGINS[edition])


def standing(edition: Edition, status: Status) -> World:
    """A world whose claim `c` of P-1, to `teams` and `intune`, is in `status`."""
    return in_status(status, BEGINS[edition])


def usage(edition: Edition, *workloads: str, **changes: Any) -> FormData:
    """A whole form of Modern Work and Security; its workloads are known in both editions."""
    return usage_form(*(workloads or ("teams", "intune")), **changes)


def advisor(edition: Edition, role: PartnerRole = PartnerRole.BUILD_INTENT_ADVISOR, **changes: Any) -> FormData:
    """A whole form of Business Applications."""
    asked = {"technical_contact": TechnicalContact("Ken Sato", "ken@contoso.example")} if is_2020(edition) else {}
    return replace(sales_form(role), **{**asked, **changes})


def is_2020(edition: Edition) -> bool:
    return edition is Edition.P2020


def rules_of(edition: Edition) -> Policy:
    return policy(edition)


def submission(edition: Edition) -> cmd.SubmitClaim:
    return cmd.SubmitClaim(acknowledgements=policy(edition).submission.acknowledgements)


def filing(edition: Edition, form: FormData, *documents: cmd.AttachDocument) -> cmd.FileClaim:
    """The bulk path; with a document that covers the form, where none is given."""
    proofs = documents or (document(1, *(form.workloads or ())),)
    return cmd.FileClaim(form=form, documents=proofs, acknowledgements=policy(edition).submission.acknowledgements)


def drafted(world: World, form: FormData, ref: str = "c", by: str = "P-1") -> ClaimState:
    """A draft with a document that covers it."""
    world.must(ref, cmd.CreateClaim(form=form), by)
    return world.must(ref, document(1, *(form.workloads or ())), by)


def edit(**changes: Any) -> cmd.EditClaim:
    return cmd.EditClaim(form=FormData(**changes), given=tuple(changes))


def refusal(decision: Decision) -> Refused:
    assert isinstance(decision, Refused), decision
    return decision


def codes(decision: Decision) -> set[Code]:
    """Every code a refusal answers with."""
    no = refusal(decision)
    return {no.code, *(each.code for each in no.errors)}


def named(decision: Decision) -> set[tuple[str, Code]]:
    """Field and code of every error of a refusal."""
    return {(each.field, each.code) for each in refusal(decision).errors}


def warned(decision: Decision) -> set[Code]:
    assert isinstance(decision, Accepted), decision
    return {each.code for each in decision.warnings}


def record(world: World, unit: UnitId) -> Association | None:
    return associations_after(unit, world.states.values())


def handed(world: World) -> list[HandoffType]:
    """Everything downstream has heard."""
    return [each.type for event in world.log for each in handoffs(event, world.states[event.claim_id])]
