"""The worked examples of edition P2023."""

from __future__ import annotations

from cpor.domain.vocabulary import (
    Code,
    Edition,
    EligibilityOutcome,
    InformationReason,
    PartnerRole,
    RejectionReason,
)
from cpor.ops.demo.asks import Story
from schemas.consent import Answer
from tests.acceptance.stories.telling import CASCADE, ELBE, IPE, ISAR, SUMIDA, TAMSUI, TEJO, Book, Teller

#: A Monday; nobody does anything before Tuesday.
BEGINS = "2024-10-07T00:00:00Z"
BOOK = Book(Edition.P2023)
POOR = RejectionReason.INSUFFICIENT_POE


@BOOK.tale(
    "From the form to the hand-off, and a document later",
    ISAR,
    "Isar Cloudberatung in Munich (Europe/Berlin, holidays of Bavaria) moved Alpenwerk Maschinenbau to Teams and "
    "Exchange.",
    "T1, T3, T5, T7, T12, T18, D3, D4, D16, R28, R29, R47",
)
def happy_path(tell: Teller) -> Story:
    claim = tell.workloads(0, "teams", "exchange")
    yield tell.on("2024-10-08 09:00", "Isar fills the form in, uploads its proof, acknowledges and submits.")
    yield from claim.step_by_step()
    tell.sees("submitted; ", "the review should begin until Tue 15 October 2024", "mail to the customer")
    yield tell.on("2024-10-09 14:00", "A reviewer takes the claim up; fourteen business days begin.")
    yield claim.start()
    tell.sees("under_review", "a decision should come until Tue 29 October 2024")
    yield tell.on("2024-10-10 10:00", "Approved. Alpenwerk gets its second mail.")
    yield claim.approve()
    tell.sees("holds workload/teams", "the customer's days run until Thu 17 October 2024", "mail to the customer")
    tell.misses("handed off")
    yield tell.on("2024-10-18 00:00", "Seven days of silence: the association is official and handed off.")
    tell.sees("consent completed → approved", "handed off: assess", "(official, ")
    yield tell.on("2024-10-22 09:00", "A newer proof is added to the approved claim: it may help in a comparison.")
    yield from claim.another_document()
    tell.sees("document attached → approved")


@BOOK.tale(
    "No to the first mail",
    CASCADE,
    "Cascade Workplace in Seattle (America/Los_Angeles) files for Puget Marine, which wants none of it.",
    "T11b, D3, D7, D9",
)
def no_at_submission(tell: Teller) -> Story:
    claim = tell.workloads(0, "intune")
    yield tell.on("2024-10-08 09:00", "Cascade files; Puget Marine is told at once.")
    yield from claim.filed()
    tell.sees("mail to the customer")
    yield tell.on("2024-10-09 16:00", "Puget Marine says no on the page of the mail. Nobody has reviewed anything yet.")
    yield claim.declines()
    tell.sees("customer: rejected; reason customer_declined", "was rejected")
    tell.misses("the partner can dispute")
    yield tell.on("2024-10-10 09:00", "That cannot be disputed; a new claim is the way on.")
    yield claim.dispute("The customer did not mean it.", expect=Code.NOT_DISPUTABLE)
    tell.sees("answer to the partner: not_disputable")


@BOOK.tale(
    "No, three months later",
    IPE,
    "Ipê Sistemas in São Paulo (America/Sao_Paulo) and Mineração Pedra Clara, which changes its mind in January.",
    "T11, D4, R45",
)
def no_months_later(tell: Teller) -> Story:
    claim = tell.workloads(1, "teams")
    yield tell.on("2024-10-08 09:00", "Ipê files, a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on("2024-10-10 09:00", "Approved.")
    yield claim.approve()
    tell.sees("the customer's days run until Thu 17 October 2024")
    yield tell.on("2024-10-18 00:00", "Official and handed off.")
    tell.sees("handed off: assess")
    yield tell.on("2025-01-15 11:00", "Pedra Clara declines. In this edition that never ends: revoked downstream.")
    yield claim.declines()
    tell.sees("customer: rejected; reason customer_declined", "hand-off revoked: customer_declined: workload/teams")


@BOOK.tale(
    "Two disputes, one won and one lost",
    SUMIDA,
    "Sumida Digital in Tokyo (Asia/Tokyo), with Hayabusa Electronics and Minato Foods. Culture Day 2024 is a Sunday, "
    "so Monday 4 November is off.",
    "T8, T15, T16a, T16b, D12, D18, D24, D25, R38, R40, R41, R42",
)
def disputes(tell: Teller) -> Story:
    won, lost = tell.workloads(0, "teams"), tell.workloads(1, "teams")
    yield tell.on("2024-10-08 09:00", "Sumida files two claims; a reviewer begins with both.")
    yield from won.filed()
    yield from lost.filed()
    yield won.start()
    yield lost.start()
    yield tell.on("2024-10-10 09:00", "Both are rejected; thirty days to dispute.")
    yield won.reject(POOR, "The activities described are no deployment work.")
    yield lost.reject(POOR, "The activities described are no deployment work.")
    tell.sees("the partner can dispute until Sat 9 November 2024", "was rejected")
    yield tell.on(
        "2024-10-29 09:00", "Both are disputed. The holiday does not count among the five days for an answer."
    )
    yield from won.another_document()
    yield won.dispute("The hand-over record is attached.")
    yield lost.dispute("", expect=Code.DISPUTE_EMPTY)
    yield lost.dispute("The customer confirms the work on the phone.")
    tell.sees("disputed", "the dispute should be answered until Wed 6 November 2024", "dispute_empty")
    yield tell.on("2024-10-31 09:00", "The new record settles one; a phone call is no proof. Lost is final.")
    yield won.approve()
    yield lost.reject(POOR, "A phone call is no proof of execution.")
    tell.sees(f"{won.claim_ref}: reviewer: approved", "rejected final; reason insufficient_poe")
    tell.sees("reason dispute_unsuccessful", "(rejected final, ")
    yield tell.on("2024-11-01 09:00", "There is no second dispute.")
    yield lost.dispute("We insist.", expect=Code.ILLEGAL_TRANSITION)
    tell.sees(f"{lost.claim_ref}: answer to the partner: illegal_transition")


@BOOK.tale(
    "The contract ends",
    TEJO,
    "Tejo Consultores in Lisbon (Europe/Lisbon) and Azulejos Ribeira part.",
    "T13, D8, R51",
)
def disassociated(tell: Teller) -> Story:
    claim = tell.workloads(0, "teams", "sharepoint")
    yield tell.on("2024-10-08 09:30", "Tejo files, a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on("2024-10-10 09:30", "Approved.")
    yield claim.approve()
    yield tell.on("2024-10-18 00:00", "Official and handed off.")
    tell.sees("handed off: assess")
    yield tell.on("2024-11-12 09:30", "Tejo ends the association. It has to say why.")
    yield claim.disassociate("   ", expect=Code.REASON_REQUIRED)
    yield claim.disassociate("Our contract with the customer has ended.")
    tell.sees("reason_required", "rejected final; reason disassociated", "hand-off revoked: disassociated")
    yield tell.on("2024-11-13 09:30", "That is final.")
    yield claim.dispute("We are back.", expect=Code.ILLEGAL_TRANSITION)


@BOOK.tale(
    "A mail that comes back",
    TAMSUI,
    "Tamsui Cloud in Taipei (Asia/Taipei; 10 October is a holiday) files for Formosa Precision and gets the address "
    "wrong.",
    "D6, D20, R47",
)
def bounced(tell: Teller) -> Story:
    claim = tell.workloads(0, "teams")
    yield tell.on("2024-10-08 09:00", "Tamsui files. The first mail comes back: operations get a task, no more.")
    yield from claim.filed(customer_contact=claim.subject.customer_contact(mailbox="bounce-it"))
    yield claim.start()
    tell.sees("the mail to the customer came back", "To do: the customer's first notice bounced")
    yield tell.on(
        "2024-10-09 09:00", "Approved. The second mail comes back too: silence says nothing, the wait stands still."
    )
    yield claim.approve()
    tell.sees(
        "consent suspended → approved; the wait stands still: notice_bounced", "Please check the customer contact"
    )
    yield tell.on("2024-10-14 09:00", "Tamsui mends the address. A new mail goes out and a new wait begins.")
    yield claim.changes(customer_contact=claim.subject.customer_contact())
    tell.sees("edited → approved", "mail to the customer")
    tell.misses("came back", "handed off")
    yield tell.on("2024-10-22 00:00", "Seven days after the mail that arrived: official.")
    tell.sees("consent completed → approved", "handed off: assess")


@BOOK.tale(
    "Recognition without payment",
    CASCADE,
    "Cascade Workplace in Seattle works for Rainier Health, which pays it and wants nobody else to.",
    "R13, R50, D13",
)
def opted_out(tell: Teller) -> Story:
    claim, sold = tell.workloads(1, "teams"), tell.sold(1, PartnerRole.BUILD_INTENT_ADVISOR)
    yield tell.on("2024-10-08 10:00", "Cascade files with the opt-out. For Business Applications there is none.")
    yield from claim.filed(incentive_opt_out=True)
    document = yield sold.put(sold.proof())
    yield sold.file([document], incentive_opt_out=True, expect=Code.OPT_OUT_NOT_OFFERED)
    yield claim.start()
    tell.sees("opt_out_not_offered")
    yield tell.on("2024-10-10 10:00", "Approved.")
    yield claim.approve()
    yield tell.on("2024-10-18 00:00", "Official and handed off, for recognition only.")
    tell.sees("handed off: none (opted_out): workload/teams")


@BOOK.tale(
    "Influenced revenue",
    IPE,
    "Ipê Sistemas in São Paulo sold its own product on top of Sales to Café Serra Azul.",
    "R7, R9, R10, R50, D10, D13",
)
def influenced_revenue(tell: Teller) -> Story:
    claim = tell.sold(0, PartnerRole.INFLUENCED_REVENUE)
    yield tell.on("2024-10-08 09:00", "The form needs the seller, the customer and the product as well.")
    document = yield claim.put(claim.proof())
    yield claim.file([document], revenue=None, expect=Code.INVALID_FIELDS)
    yield from claim.filed()
    yield claim.start()
    tell.sees("answer to the partner: invalid_fields", "→ submitted")
    yield tell.on("2024-10-10 09:00", "Approved: the subscription is held.")
    yield claim.approve()
    tell.sees("holds subscription/")
    yield tell.on("2024-10-18 00:00", "Official. The role is not paid; the revenue is recognised.")
    tell.sees("handed off: none (role_not_incentivized): subscription/")
    yield tell.on("2024-10-25 09:00", "The incentive systems agree.")
    yield claim.eligibility(EligibilityOutcome.INELIGIBLE, "recognition only")
    tell.sees("ineligible: recognition only")


@BOOK.tale(
    "A competitor takes one workload, then the other",
    ISAR,
    "Isar holds Teams and Exchange at Klinikum Lechtal; Elbe Digital in Germany claims them one by one.",
    "D17, T20, T15, T16a, R20, R21, D30",
)
def displaced(tell: Teller) -> Story:
    isar = tell.workloads(2, "teams", "exchange")
    teams, exchange = tell.workloads(2, "teams", home=ELBE), tell.workloads(2, "exchange", home=ELBE)
    yield tell.on("2024-10-08 09:00", "Isar files; by Wednesday it is approved.")
    yield from isar.filed()
    yield isar.start()
    yield isar.approve()
    yield tell.on(
        "2024-10-21 09:00", "Isar is official. Elbe claims Teams; both are told of a competing claim, not of whom."
    )
    yield from teams.filed()
    yield teams.start()
    tell.sees(f"{isar.claim_ref}: system: competition flagged")
    yield tell.on("2024-10-22 09:00", "Elbe's proof is newer. Isar loses Teams and keeps its claim with Exchange.")
    yield teams.approve(expect=Code.INCUMBENTS_NOT_NAMED)
    yield teams.approve(displaces=[isar.claim_id])
    tell.sees(f"{isar.claim_ref}: system: association ended → approved; no longer holds workload/teams: displaced")
    tell.sees(f"{isar.claim_ref}: hand-off revoked: displaced: workload/teams", "(association ended, ")
    yield tell.on("2024-10-24 09:00", "Then Exchange goes the same way. Nothing is left: Isar's claim is rejected.")
    yield from exchange.filed()
    yield exchange.start()
    yield exchange.approve(displaces=[isar.claim_id])
    tell.sees(f"{isar.claim_ref}: system: rejected; reason insufficient_poe")
    yield tell.on("2024-10-28 09:00", "Isar disputes, with the record of last week's work.")
    yield from isar.another_document()
    yield isar.dispute("The record of this month's work is attached.")
    yield tell.on("2024-10-30 09:00", "It is the newest of all: the reviewer names both claims of Elbe.")
    yield isar.approve(displaces=[teams.claim_id, exchange.claim_id])
    tell.sees(f"{isar.claim_ref}: reviewer: approved", f"{teams.claim_ref}: system: rejected")
    tell.sees(f"{exchange.claim_ref}: system: rejected")


@BOOK.tale(
    "An association of before, its renewal and its end",
    TEJO,
    "Tejo Consultores in Lisbon has looked after a subscription of Vinhos Alto Douro since before there were claims.",
    "D23, T19, D16, R22",
)
def subscription_ends(tell: Teller) -> Story:
    claim = tell.sold(2, PartnerRole.BUILD_INTENT_ADVISOR, number=2)
    yield tell.on("2024-10-08 09:00", "An operator imports the association with its last day. No proof, no hand-off.")
    yield tell.imports(claim, "2024-11-15")
    tell.sees("the record of before: operator: legacy imported → approved")
    tell.misses("handed off")
    yield tell.on("2024-10-16 00:00", "Thirty days before the end Tejo is asked to associate anew.")
    tell.sees("Re-associate with Vinhos Alto Douro before Friday, November 15, 2024")
    yield tell.on("2024-10-21 09:00", "Tejo files a claim on the same subscription. That is no competition.")
    yield from claim.filed()
    yield claim.start()
    tell.misses("competition flagged")
    yield tell.on("2024-10-23 09:00", "Approved: it takes the place of the old record.")
    yield claim.approve()
    tell.sees("the record of before: system: association ended → approved", "reassociated")
    tell.misses("revoked")
    yield tell.on("2024-10-31 00:00", "Official and handed off.")
    tell.sees("handed off: assess: subscription/")
    yield tell.on("2024-11-04 09:00", "The feed says that the subscription will end on 15 December.")
    yield claim.subscription_ends(days=41)
    yield tell.on(
        "2024-12-16 00:00",
        "Its last day is over: the association ends by itself. The claim stays approved; what was earned until then "
        "stays earned.",
    )
    tell.sees(f"{claim.claim_ref}: system: association ended → approved", "hand-off ended: 2024-12-15: subscription/")
    tell.misses("revoked")


@BOOK.tale(
    "Fourteen business days over Christmas",
    ISAR,
    "Isar and Donau Logistik in Bavaria, where 25 and 26 December, 1 January and 6 January (Epiphany) are holidays.",
    "T6, T10, D15, D18, D28, R31, R32, R33",
)
def christmas(tell: Teller) -> Story:
    claim = tell.workloads(1, "exchange")
    yield tell.on("2024-12-13 09:00", "Isar files, a reviewer begins.")
    yield from claim.filed()
    yield claim.start()
    yield tell.on("2024-12-16 15:00", "Dates are missing. Fourteen business days from Monday end in January.")
    yield claim.ask(InformationReason.MISSING_OR_OLD_DATES, "When was the work done?")
    tell.sees(
        "partner_action_required",
        "the partner can answer until Thu 9 January 2025",
        "(information requested, ",
    )
    yield tell.on("2024-12-30 09:00", "Half the time is over: a reminder has come. Resubmitting nothing is refused.")
    yield claim.resubmit(expect=Code.NOTHING_PROVIDED)
    tell.sees("answer to the partner: nothing_provided")
    yield tell.on("2025-01-09 21:00", "The last evening: the dated record is attached, and the claim is resubmitted.")
    yield from claim.another_document()
    yield claim.resubmit("Page two.")
    tell.sees("resubmitted → submitted", "the review should begin until Thu 16 January 2025")
    yield tell.on("2025-01-13 09:00", "Approved.")
    yield claim.start()
    yield claim.approve()
    tell.sees("approved", "the customer's days run until Mon 20 January 2025")


@BOOK.tale(
    "A mail that comes back, and a no after the hand-off",
    SUMIDA,
    "Sumida Digital in Tokyo (Asia/Tokyo) files for Kitakaze Transport and gets the address wrong.",
    "D4, D6, D19, D20, T11, R45",
)
def bounced_then_no(tell: Teller) -> Story:
    claim = tell.workloads(2, "teams")
    yield tell.on("2024-10-08 09:00", "Sumida files, a reviewer begins. The first mail comes back.")
    yield from claim.filed(customer_contact=claim.subject.customer_contact(mailbox="bounce-it"))
    yield claim.start()
    tell.sees("the mail to the customer came back")
    yield tell.on("2024-10-10 09:00", "Approved. The second mail comes back too: the wait stands still.")
    yield claim.approve()
    tell.sees("the mail to the customer came back", "the wait stands still: notice_bounced")
    yield tell.on("2024-10-15 10:00", "Sumida mends the address: a new mail, and seven days from it.")
    yield claim.changes(customer_contact=claim.subject.customer_contact())
    tell.sees("edited → approved", "mail to the customer")
    tell.misses("came back", "handed off")
    yield tell.on("2024-10-23 00:00", "They are over: official and handed off.")
    tell.sees("handed off: assess: workload/teams")
    yield tell.on("2024-10-28 16:00", "Kitakaze Transport opens the mail's link only now, and declines. It still may.")
    tell.answers_on_the_page(claim, Answer.DECLINE)
    tell.sees("You have declined", "customer: rejected; reason customer_declined")
    tell.sees("hand-off revoked: customer_declined: workload/teams")
