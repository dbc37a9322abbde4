"""The stories of what time, customers, feeds and incentive systems do to a claim, before an approval and after it."""

from __future__ import annotations

from cpor.domain.vocabulary import (
    Code,
    CommandName,
    EligibilityOutcome,
    EventName,
    InformationReason,
    RejectionReason,
    SubscriptionState,
)
from cpor.ops.demo.act import Act, attached, filed
from cpor.ops.demo.asks import Story, Wait
from cpor.ops.demo.stories import approved_in_bulk, rejected

#: An approval of day 2 is official on day 10, whatever the zone (D4).
OFFICIAL = 8


# -- the customer says no -------------------------------------------------------------------------------------------


def declined_when_asked(act: Act) -> Story:
    """T11b, D9: the first notice is answered with no, before anybody has looked at the claim."""
    yield from filed(act)
    yield Wait()
    yield act.declines()
    yield act.dispute("The customer did not mean it.", expect=Code.NOT_DISPUTABLE)


def declined_in_review(act: Act) -> Story:
    """T11b, D9."""
    yield from filed(act)
    yield Wait()
    yield act.start()
    yield act.declines()


def declined_while_disputed(act: Act) -> Story:
    """T11b, D9: final."""
    yield from rejected(act)
    yield Wait(3)
    yield act.dispute("The hand-over record is attached to the claim.")
    yield Wait(2)
    yield act.declines(EventName.REJECTED_FINAL)


def declined_in_the_wait(act: Act) -> Story:
    """T11: nothing has been handed off yet."""
    yield from approved_in_bulk(act)
    yield Wait(2)
    yield act.declines()


def declined_after_the_hand_off(act: Act) -> Story:
    """T11, D4: what was handed off is revoked."""
    yield from approved_in_bulk(act)
    yield Wait(OFFICIAL + 2)
    yield act.declines()


# -- the customer says yes, or somebody says so ---------------------------------------------------------------------


def agreed(act: Act) -> Story:
    """Neither shortens the wait nor counts twice (contract §5)."""
    yield from approved_in_bulk(act)
    yield Wait(2)
    yield act.agrees()
    yield act.agrees(expect="ignored")
    yield Wait(OFFICIAL)


def agreed_by_phone(act: Act) -> Story:
    """D20: an answer that nobody has checked holds the wait up; checked, it counts from when it came."""
    yield from approved_in_bulk(act)
    yield Wait(2)
    yield act.agrees_by_phone("held", checked=False)
    yield Wait(3)
    yield act.agrees_by_phone(EventName.CONSENT_ANSWERED, checked=True)
    yield Wait(OFFICIAL)


# -- the notice does not arrive ---------------------------------------------------------------------------------------


def bounced(act: Act) -> Story:
    """D20: nobody was told, so silence says nothing; nobody mends the address."""
    yield from filed(act, customer_contact=act.subject.customer_contact(mailbox="bounce-it"))
    yield Wait()
    yield act.start()
    yield Wait()
    yield act.approve()
    yield Wait(2)


def bounced_then_mended_by_partner(act: Act) -> Story:
    """D6, D20: a new notice to the right address, and a new wait."""
    yield from bounced(act)
    yield act.edit(customer_contact=act.subject.customer_contact())
    yield Wait(OFFICIAL)


def bounced_then_mended_by_operator(act: Act) -> Story:
    """D20."""
    yield from bounced(act)
    yield act.resend_notice("it")
    yield Wait(OFFICIAL)


def greylisted(act: Act) -> Story:
    """The customer's mail server takes a mail at the third attempt only."""
    yield from filed(act, customer_contact=act.subject.customer_contact(mailbox="defer-2-it"))
    yield Wait()
    yield act.start()
    yield Wait()
    yield act.approve()
    yield Wait(OFFICIAL)


# -- after the hand-off ------------------------------------------------------------------------------------------------


def disassociated_later(act: Act) -> Story:
    """T13, R51: revoked downstream."""
    yield from approved_in_bulk(act)
    yield Wait(OFFICIAL + 2)
    yield act.disassociate("The contract with the customer has ended.")


def displaced_later(incumbent: Act, challenger: Act) -> Story:
    """D17, T20: what was handed off for the incumbent is revoked."""
    yield from approved_in_bulk(incumbent)
    yield Wait(OFFICIAL + 2)
    yield from filed(challenger)
    yield challenger.start()
    yield challenger.approve(displaces=[incumbent.claim_id])
    yield Wait(OFFICIAL)


def subscription_ends(act: Act) -> Story:
    """T19, D16, D23: the partner is warned; then what was handed off ends, and what was earned stays earned."""
    yield act.subscription_ends(days=34)
    yield from approved_in_bulk(act)
    yield Wait(34)


def subscription_ends_in_the_wait(act: Act) -> Story:
    """T19: there is nothing left to hand off."""
    yield from approved_in_bulk(act)
    yield Wait(2)
    yield act.subscription_ends(days=0, state=SubscriptionState.ENDED)
    yield Wait()


def paid(act: Act) -> Story:
    """D29, R49: the partner hears what the incentive systems decided."""
    yield from approved_in_bulk(act)
    yield Wait(OFFICIAL + 2)
    yield act.eligibility(EligibilityOutcome.ELIGIBLE)
    yield Wait(24)
    yield act.earning(f"{1_200 + 35 * act.subject.number}.50", "EUR")


def not_paid(act: Act) -> Story:
    """R44: an approval of the association is none of a payout."""
    yield from approved_in_bulk(act)
    yield Wait(OFFICIAL + 2)
    yield act.eligibility(EligibilityOutcome.INELIGIBLE, "usage below the programme's threshold")


# -- time ------------------------------------------------------------------------------------------------------------


def never_answers(act: Act) -> Story:
    """T9, R33: reminded twice, then rejected by the clock; that can be disputed."""
    yield from filed(act)
    yield act.start()
    yield act.ask(InformationReason.MISSING_PARTNER_SOLUTION_SERVICE, "Please describe the work that was done.")
    yield Wait(36)
    yield act.resubmit("Here we are.", expect=Code.ILLEGAL_TRANSITION)


def answers_when_reminded(act: Act) -> Story:
    """T10: after the reminder of half time."""
    yield from filed(act)
    yield act.start()
    yield act.ask(InformationReason.MISSING_CUSTOMER_ACKNOWLEDGMENT, "The customer's signature is missing.")
    yield Wait(12)
    yield from attached(act, act.proof(days_ago=3), user="u-billing")
    yield act.resubmit("Signed now.")
    yield act.start()
    yield act.approve()
    yield Wait(OFFICIAL)


def disputes_too_late(act: Act) -> Story:
    """T17, R39: reminded twice; after thirty days a new claim is the way on."""
    yield from rejected(act)
    yield Wait(32)
    yield act.dispute("We were on holiday.", expect=Code.WINDOW_CLOSED)


def approved_at_the_end(act: Act) -> Story:
    """The wait still runs when the demo ends."""
    yield Wait(36)
    yield from filed(act)
    yield act.start()
    yield act.approve()


def waits_for_partner(act: Act) -> Story:
    """The partner's days still run when the demo ends."""
    yield Wait(36)
    yield from filed(act)
    yield act.start()
    yield act.ask(InformationReason.MISSING_OR_OLD_DATES, "Please add the date of the signature.")


def whole_life(act: Act) -> Story:
    """Nearly everything that can happen to one claim; the demo's last page tells it."""
    yield from filed(act, customer_contact=act.subject.customer_contact(mailbox="bounce-it"))
    yield act.start()
    yield act.ask(InformationReason.MISSING_CUSTOMER_ACKNOWLEDGMENT, "The customer's signature is not legible.")
    yield Wait(2)
    yield from attached(act, act.proof(days_ago=5), user="u-billing")
    yield act.resubmit("A new copy with a clear signature is attached.")
    yield act.start()
    yield act.reject(RejectionReason.INSUFFICIENT_POE, "The activities described are no deployment work.")
    yield Wait(5)
    yield act.dispute("Section 3 lists four waves of migration.")
    yield Wait(2)
    yield act.approve()
    yield Wait()
    yield act.edit(customer_contact=act.subject.customer_contact())
    yield Wait(OFFICIAL)
    yield act.review(CommandName.REVIEW_COMMENT, text="Thank you; the second document settled it.")
    yield Wait(2)
    yield act.declines()
    yield act.dispute("We do not understand.", expect=Code.NOT_DISPUTABLE)
