"""The worked examples of edition P2020."""

from __future__ import annotations

from cpor.domain.vocabulary import (
    Code,
    CommandName,
    Edition,
    EligibilityOutcome,
    EventName,
    InformationReason,
    PartnerRole,
    RejectionReason,
)
from cpor.ops.demo.asks import Story
from schemas.consent import Answer
from tests.acceptance.stories.telling import CASCADE, ELBE, IPE, ISAR, SUMIDA, TAMSUI, TEJO, Book, Teller

#: A Monday; nobody does anything before Tuesday.
BEGINS = "2021-03-01T00:00:00Z"
BOOK = Book(Edition.P2020)
POOR = RejectionReason.INSUFFICIENT_POE


@BOOK.tale(
    "From the form to the hand-off",
    ISAR,
    "Isar Cloudberatung in Munich (Europe/Berlin, holidays of Bavaria) moved Alpenwerk Maschinenbau to Teams and "
    "Exchange.",
    "T1, T3, T5, T7, T12, D3, D4, R46, R47",
)
def happy_path(tell: Teller) -> Story:
    claim = tell.workloads(0, "teams", "exchange")
    yield tell.on("2021-03-02 09:00", "Isar fills the form in, uploads the signed statement of work and submits.")
    yield from claim.step_by_step()
    tell.sees("submitted; ", "until Tue 9 March 2021", "the first decision should come until Tue 16 March 2021")
    tell.misses("mail to the customer")
    yield tell.on("2021-03-03 14:00", "A reviewer takes the claim up; five business days begin.")
    yield claim.start()
    tell.sees("under_review", "a decision should come until Wed 10 March 2021")
    yield tell.on("2021-03-04 10:00", "The proof covers both workloads: approved. Only now does Alpenwerk get a mail.")
    yield claim.approve()
    tell.sees("holds workload/teams", "the customer's days run until Thu 11 March 2021", "mail to the customer")
    tell.misses("handed off")
    yield tell.on("2021-03-11 22:00", "The evening of day seven. Alpenwerk is silent; nothing has been handed off.")
    tell.misses("handed off")
    yield tell.on(
        "2021-03-12 00:00", "Day seven is over: the association is official, and goes to the incentive systems."
    )
    tell.sees("consent completed → approved", "handed off: assess", "(official, ")


@BOOK.tale(
    "Second thoughts in the queue",
    TEJO,
    "Tejo Consultores in Lisbon (Europe/Lisbon) claims Teams at Azulejos Ribeira and has forgotten SharePoint.",
    "T4, D6, R35, D5",
)
def edits_while_submitted(tell: Teller) -> Story:
    claim = tell.workloads(0, "teams")
    yield tell.on("2021-03-02 09:30", "Tejo files the claim, with one document that names Teams.")
    yield from claim.filed()
    tell.sees("→ submitted", "until Tue 9 March 2021")
    yield tell.on(
        "2021-03-03 11:00", "Nobody has looked yet: SharePoint is added with its document. The name is fixed."
    )
    yield claim.changes(workloads=["teams", "sharepoint"])
    yield from claim.another_document()
    yield from claim.with_document(claim.proof(days_ago=3, workloads=("sharepoint",)))
    yield claim.changes(claim_name="A better name", expect=Code.EDIT_NOT_ALLOWED)
    tell.sees("workloads: teams → teams, sharepoint", "document attached", "answer to the partner: edit_not_allowed")
    tell.misses("the review should begin")
    yield tell.on("2021-03-04 09:00", "The review begins; from here on the form is closed.")
    yield claim.start()
    yield claim.changes(workloads=["teams"], expect=Code.ILLEGAL_TRANSITION)
    yield tell.on("2021-03-05 09:00", "Both workloads are approved.")
    yield claim.approve()
    tell.sees("approved; holds workload/teams; holds workload/sharepoint")


@BOOK.tale(
    "The one subscription there can be",
    IPE,
    "Ipê Sistemas in São Paulo (America/Sao_Paulo) advised Café Serra Azul on Sales. The form may leave the "
    "subscription out: there is one.",
    "D11, R15, R18, D10",
)
def single_subscription(tell: Teller) -> Story:
    claim = tell.sold(0, PartnerRole.BUILD_INTENT_ADVISOR)
    yield tell.on(
        "2021-03-02 10:00", "Ipê files without a subscription id. The only one that sells Sales is filled in."
    )
    yield from claim.filed(subscription_id=None)
    tell.sees("→ submitted")
    whole = claim.held_subscription()
    yield tell.on("2021-03-03 10:00", "Ipê looks at its claim and sees four characters of the id.")
    tell.looks(claim)
    tell.sees(f"the partner sees the subscription as …{whole[-4:]}")
    yield tell.on("2021-03-04 10:00", "Reviewed and approved: the subscription is held.")
    yield claim.start()
    yield claim.approve()
    tell.sees(f"holds subscription/{whole}")
    yield tell.on("2021-03-05 10:00", "Now Ipê sees all of it.")
    tell.looks(claim)
    tell.sees(f"the partner sees the subscription as {whole}")
    yield tell.on("2021-03-12 00:00", "A week later: handed off, to be assessed for payment.")
    tell.sees("handed off: assess: subscription/")


@BOOK.tale(
    "Five business days over Easter",
    ISAR,
    "Isar and Donau Logistik in Bavaria. Good Friday (2 April) and Easter Monday (5 April) are holidays there.",
    "T6, T10, D15, D18, R32, R33",
)
def easter(tell: Teller) -> Story:
    claim = tell.workloads(1, "exchange")
    yield tell.on("2021-03-30 09:00", "Isar files, a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on(
        "2021-03-31 15:00", "The signature cannot be read. Five business days from Wednesday end on Friday week."
    )
    yield claim.ask(InformationReason.MISSING_CUSTOMER_ACKNOWLEDGMENT, "The customer's signature is not legible.")
    tell.sees(
        "partner_action_required",
        "the partner can answer until Fri 9 April 2021",
        "(information requested, ",
    )
    yield tell.on("2021-04-08 09:00", "A comment alone does not stop the clock.")
    yield claim.comment("The customer is back on Friday.", user="u-billing")
    yield tell.on("2021-04-09 20:00", "The last evening: a new copy is attached, and the claim is resubmitted.")
    yield from claim.another_document(days_ago=1)
    yield claim.resubmit("Signed anew.")
    tell.sees("resubmitted → submitted", "the review should begin until Fri 16 April 2021")
    yield tell.on("2021-04-12 09:00", "Approved.")
    yield claim.start()
    yield claim.approve()
    tell.sees("approved")


@BOOK.tale(
    "No answer, and one dispute after another",
    SUMIDA,
    "Sumida Digital in Tokyo (Asia/Tokyo; the spring equinox, Saturday 20 March, costs no business day) and Hayabusa "
    "Electronics.",
    "T9, T15, T16a, T16b, D25, R33, R39",
)
def repeated_disputes(tell: Teller) -> Story:
    claim = tell.workloads(0, "teams")
    yield tell.on("2021-03-02 09:00", "Sumida files, a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on("2021-03-04 09:00", "Questions about the work that was done.")
    yield claim.ask(InformationReason.MISSING_PARTNER_SOLUTION_SERVICE, "Please describe the work.")
    tell.sees("until Thu 11 March 2021")
    yield tell.on("2021-03-12 00:00", "Nobody answered: rejected by the clock. Thirty days to dispute begin.")
    tell.sees("system: rejected; reason no_partner_response; the partner can dispute until Sun 11 April 2021")
    yield tell.on("2021-03-12 10:00", "An answer is too late now.")
    yield claim.resubmit("Here it is.", expect=Code.ILLEGAL_TRANSITION)
    yield tell.on("2021-03-22 10:00", "A dispute is still possible.")
    yield claim.dispute("The hand-over record describes all of it.")
    tell.sees("disputed", "the dispute should be answered until Mon 29 March 2021")
    yield tell.on("2021-03-24 10:00", "Not convincing: rejected again, which opens a new window of thirty days.")
    yield claim.reject(POOR, "The record is not dated.")
    tell.sees("dispute_unsuccessful", "the partner can dispute until Fri 23 April 2021")
    yield tell.on("2021-04-20 10:00", "The second dispute, with a new document.")
    yield from claim.another_document()
    yield claim.dispute("The dated record is attached.")
    yield tell.on("2021-04-22 10:00", "Now it is approved.")
    yield claim.approve()
    tell.sees("approved", "the customer's days run until Thu 29 April 2021")
    yield tell.on("2021-04-30 00:00", "Official.")
    tell.sees("handed off: assess")


@BOOK.tale(
    "A no before anybody asked",
    CASCADE,
    "Cascade Workplace in Seattle (America/Los_Angeles) files for Puget Marine, which hears of it by chance.",
    "D9, D7, T7, T11",
)
def early_no(tell: Teller) -> Story:
    claim = tell.workloads(0, "intune")
    yield tell.on("2021-03-02 09:00", "Cascade files; a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on(
        "2021-03-03 11:00", "Puget Marine telephones: they do not want this. It is recorded, nothing changes."
    )
    yield claim.says_by_phone(Answer.DECLINE, EventName.CONSENT_ANSWERED)
    tell.sees("consent answered → under_review")
    yield tell.on("2021-03-05 09:00", "The proof is good, so the claim is approved; the recorded no applies at once.")
    yield claim.approve()
    tell.sees("approved", "rejected; reason customer_declined")
    yield tell.on("2021-03-08 09:00", "No reviewer can overrule a customer.")
    yield claim.dispute("They did not mean it.", expect=Code.NOT_DISPUTABLE)
    tell.sees("not_disputable")


@BOOK.tale(
    "Day seven and day eight",
    IPE,
    "Two customers of Ipê Sistemas in São Paulo: Mineração Pedra Clara and Hospital Bom Vale.",
    "D4, D19, T11, T12, R45, R46",
)
def day_seven(tell: Teller) -> Story:
    in_time, late = tell.workloads(1, "teams"), tell.workloads(2, "teams")
    yield tell.on("2021-03-02 09:00", "Ipê files two claims.")
    yield from in_time.filed()
    yield from late.filed()
    yield in_time.start()
    yield late.start()
    yield tell.on(
        "2021-03-04 09:00", "Both are approved on the same Thursday; both customers may say no for seven days."
    )
    yield in_time.approve()
    yield late.approve()
    tell.sees("until Thu 11 March 2021")
    yield tell.on("2021-03-11 21:30", "The last evening: Pedra Clara says no.")
    yield in_time.declines()
    tell.sees(f"{in_time.claim_ref}: customer: rejected; reason customer_declined")
    yield tell.on("2021-03-12 00:00", "Day eight begins: Bom Vale's association is official and handed off.")
    tell.sees(f"{late.claim_ref}: handed off: assess")
    tell.misses(f"{in_time.claim_ref}: handed off")
    yield tell.on("2021-03-12 09:00", "That morning Bom Vale says no. The answer is on record and changes nothing.")
    yield late.declines(expect="ignored")
    tell.sees(f"{late.claim_ref}: the customer's answer changes nothing")
    tell.misses("rejected", "revoked")


@BOOK.tale(
    "Wrong location, noticed late",
    TEJO,
    "Tejo Consultores in Lisbon finds out after the hand-off that another branch did the work for Transportes Mondego.",
    "T14, D8, D7",
)
def withdrawn_after_approval(tell: Teller) -> Story:
    claim = tell.workloads(1, "sharepoint")
    yield tell.on("2021-03-02 09:00", "Tejo files, a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on("2021-03-04 12:00", "Approved.")
    yield claim.approve()
    yield tell.on("2021-03-12 00:00", "Handed off.")
    tell.sees("handed off: assess")
    yield tell.on("2021-03-16 12:00", "Tejo withdraws: 2020 lets it, also now; the unit is free.")
    yield claim.gives_up()
    tell.sees("rejected; reason partner_request", "hand-off revoked", "withdrawn")
    yield tell.on("2021-03-17 12:00", "A withdrawal cannot be disputed.")
    yield claim.dispute("We want it back.", expect=Code.NOT_DISPUTABLE)
    tell.sees("not_disputable")


@BOOK.tale(
    "The reviewers' ten days stand still",
    TAMSUI,
    "Tamsui Cloud in Taipei (Asia/Taipei) files for Formosa Precision. Ten business days to the first decision.",
    "D5, T6, T10",
)
def overall_clock(tell: Teller) -> Story:
    claim = tell.workloads(0, "teams")
    yield tell.on("2021-03-02 09:00", "Tamsui files: the first decision should come by 16 March.")
    yield from claim.filed()
    tell.sees("the first decision should come until Tue 16 March 2021")
    yield claim.start()
    yield tell.on("2021-03-04 09:00", "A question; while the partner is asked, the ten days stand still.")
    yield claim.ask(InformationReason.MISSING_OR_OLD_DATES, "When was this signed?")
    tell.sees("partner_action_required")
    yield tell.on("2021-03-11 09:00", "The answer, on its last day. What was left of the ten days runs again.")
    yield from claim.another_document()
    yield claim.resubmit("The date is on page two.")
    tell.sees("the first decision should come until Tue 23 March 2021")
    yield tell.on("2021-03-12 09:00", "Under review again.")
    yield claim.start()
    yield tell.on("2021-03-24 00:00", "The ten days are over: operations hear of it, the claim is as it was.")
    tell.sees("over: the first decision should come until Tue 23 March 2021")
    yield tell.on("2021-03-24 09:00", "The reviewer says a word.")
    yield claim.review(CommandName.REVIEW_COMMENT, text="Sorry for the wait.")
    yield tell.on("2021-03-25 09:00", "Approved, late.")
    yield claim.approve()
    tell.sees("approved")


@BOOK.tale(
    "Usage that is paid",
    CASCADE,
    "Cascade Workplace in Seattle drives the use of Business Central at Rainier Health. In 2020 that earns money.",
    "D13, D29, R4, R49",
)
def usage_is_paid(tell: Teller) -> Story:
    claim = tell.sold(1, PartnerRole.USAGE_RECOGNITION, number=1)
    yield tell.on("2021-03-02 09:00", "Cascade files with the subscription, a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on("2021-03-04 09:00", "Approved.")
    yield claim.approve()
    tell.sees("the customer's days run until Thu 11 March 2021")
    yield tell.on("2021-03-12 00:00", "Handed off: to be assessed for payment.")
    tell.sees("handed off: assess: subscription/")
    yield tell.on("2021-03-15 09:00", "The incentive systems find it eligible.")
    yield claim.eligibility(EligibilityOutcome.ELIGIBLE)
    tell.sees("eligible")
    yield tell.on("2021-04-20 09:00", "The first earning.")
    yield claim.earning("1250.00", "USD")
    tell.sees("earned 1250.00 USD for 2021-04")


@BOOK.tale(
    "Two partners, one workload",
    ISAR,
    "Isar holds Teams at Klinikum Lechtal; Elbe Digital in Germany did the newer work and claims it too.",
    "D17, T20, R20, R21",
)
def displaced(tell: Teller) -> Story:
    first, second = tell.workloads(2, "teams"), tell.workloads(2, "teams", home=ELBE)
    yield tell.on("2021-03-02 09:00", "Isar files and is approved.")
    yield from first.filed()
    yield first.start()
    yield first.approve()
    yield tell.on(
        "2021-03-15 09:00", "Isar's claim is official. Elbe files; both hear of a competing claim, not of whom."
    )
    yield from second.filed()
    tell.sees(f"{second.claim_ref}: system: competition flagged", f"{first.claim_ref}: system: competition flagged")
    yield tell.on("2021-03-17 09:00", "Elbe's proof is newer. The reviewer must name whom the approval displaces.")
    yield second.start()
    yield second.approve(expect=Code.INCUMBENTS_NOT_NAMED)
    yield second.approve(displaces=[first.claim_id])
    tell.sees(
        f"{second.claim_ref}: reviewer: approved",
        f"{first.claim_ref}: system: rejected; reason insufficient_poe",
        "hand-off revoked",
    )
    yield tell.on("2021-03-25 00:00", "Elbe's claim is official. Isar may still dispute.")
    tell.sees(f"{second.claim_ref}: handed off: assess")
    tell.misses("revoked")


@BOOK.tale(
    "A mail that comes back, and a no on the last evening",
    TAMSUI,
    "Tamsui Cloud in Taipei (Asia/Taipei) files for Jade Mountain Tea and gets the address wrong.",
    "D4, D6, D19, D20, T11, R45",
)
def bounced_then_no(tell: Teller) -> Story:
    claim = tell.workloads(1, "teams")
    yield tell.on("2021-03-02 09:00", "Tamsui files, a reviewer begins.")
    yield from claim.filed(customer_contact=claim.subject.customer_contact(mailbox="bounce-it"))
    yield claim.start()
    yield tell.on("2021-03-04 09:00", "Approved. The only mail comes back: nobody knows of it, the wait stands still.")
    yield claim.approve()
    tell.sees("the mail to the customer came back", "the wait stands still: notice_bounced")
    yield tell.on("2021-03-09 10:00", "An operator has found the right address. The seven days begin anew.")
    yield claim.resend_notice("it")
    tell.sees("mail to the customer", "the customer's days run until Tue 16 March 2021")
    tell.misses("came back")
    yield tell.on("2021-03-12 00:00", "The seven days of the mail that came back would be over now. Nothing happens.")
    tell.misses("handed off")
    yield tell.on("2021-03-16 23:30", "The last evening: Jade Mountain Tea opens the mail's link and declines.")
    tell.answers_on_the_page(claim, Answer.DECLINE)
    tell.sees("You have declined", "customer: rejected; reason customer_declined")
    yield tell.on("2021-03-17 00:00", "Day eight begins: there is nothing left to hand off.")
    tell.misses("handed off")
