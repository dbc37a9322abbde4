"""Words of the page for partners: what each command is for, and what each answer means and asks for.

Each answer stands once. Which of them a command can get is compared with what its code can answer by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cpor.domain.vocabulary import Code
from cpor.domain.vocabulary import CommandName as C

K = Code


@dataclass(frozen=True, slots=True)
class Answer:
    """`means` and what to `do` about it, each a sentence."""

    means: str
    do: str


_MEND = "Mend the field and send again with a new ce_id."
_ASK = "Ask whoever runs the programme."

ANSWERS: Mapping[Code, Answer] = {
    K.ACCEPTED: Answer("It was done.", "Nothing; status and due are those after it."),
    K.DUPLICATE: Answer("The same message came before.", "Nothing; original says what became of the first."),
    K.MALFORMED_JSON: Answer("The value is not JSON in UTF-8.", "Mend the writer; the ce_id may be used again."),
    K.MISSING_MESSAGE_ID: Answer("No usable ce_id header.", "Give each message an id of its own."),
    K.MESSAGE_TOO_LARGE: Answer("Over 256 KiB.", "Send documents by upload, never in a message."),
    K.UNKNOWN_TYPE: Answer("No type that a partner may send.", "Look at ce_type."),
    K.INVALID_FIELDS: Answer("Fields are missing or of the wrong form.", "errors names each. " + _MEND),
    K.WRONG_KEY: Answer("The key is no claim reference, or the body names another.", "Key = claim reference."),
    K.PARTNER_MISMATCH: Answer("The body names another partner than the topic.", "Leave partner_id out."),
    K.PARTNER_UNKNOWN: Answer("The partner is not in the directory.", _ASK),
    K.PARTNER_SUSPENDED: Answer("The partner is suspended.", _ASK),
    K.USER_UNKNOWN: Answer("user is nobody of this partner.", "Use the user's id of the directory."),
    K.NOT_PERMITTED: Answer("The user's role or locations do not permit this.", "Let another user act."),
    K.CONFLICTING_MESSAGE: Answer("This ce_id was used with other content.", "Use a new ce_id for new content."),
    K.CLAIM_UNKNOWN: Answer("No claim has this reference.", "Create or file it first; look at the key."),
    K.CLAIM_EXISTS: Answer("A claim has this reference already.", "Edit that one, or use a new reference."),
    K.REFERENCE_BOUND: Answer("The reference belongs to another customer.", "Use a new reference."),
    K.ILLEGAL_TRANSITION: Answer("Not possible in the claim's status.", "Read the updates; detail says what is."),
    K.EDIT_NOT_ALLOWED: Answer("The field is fixed in this status.", "Leave it out."),
    K.LAST_WORKLOAD: Answer("A claim needs at least one workload.", "Cancel or withdraw the claim instead."),
    K.ACKNOWLEDGEMENTS_INCOMPLETE: Answer("Confirmations are missing.", "Send all of the edition."),
    K.POE_MISSING: Answer("No proof of execution is attached.", "Attach a document first."),
    K.DOCUMENT_UNKNOWN: Answer("No such document.", "Use the id of the receipt of cpor.poe.reserve.v1."),
    K.DOCUMENT_MISSING: Answer("No file lies at its place.", "Upload it, then send again with a new ce_id."),
    K.DOCUMENT_TOO_LARGE: Answer("The file is too large.", "Divide it, or save it smaller."),
    K.DOCUMENT_EMPTY: Answer("The file has no content.", "Upload the right file."),
    K.DOCUMENT_DIGEST_MISMATCH: Answer("Size or SHA-256 is not as declared.", "Reserve and upload again."),
    K.DOCUMENT_TYPE_NOT_ALLOWED: Answer("A file of this type is not taken.", "detail names those that are."),
    K.DOCUMENT_ENCRYPTED: Answer("The file needs a password.", "Upload it without one."),
    K.DOCUMENT_UNREADABLE: Answer("The file is broken, or not what it says.", "Save and upload it anew."),
    K.TOO_MANY_DOCUMENTS: Answer("More documents than a claim may have.", "Remove one first."),
    K.TOO_MANY_COMMENTS: Answer("More comments than a claim may have.", "Act instead, or wait for the review."),
    K.WINDOW_CLOSED: Answer("The time for this is over.", "Nothing; a new claim may be possible."),
    K.NOT_DISPUTABLE: Answer("This rejection cannot be disputed.", "Nothing; a new claim may be possible."),
    K.DISPUTE_SPENT: Answer("The claim was disputed before.", "Nothing; the decision stands."),
    K.DISPUTE_EMPTY: Answer("Neither a justification nor a new document.", "Give one of them."),
    K.REASON_REQUIRED: Answer("The reason, or its text, is missing.", _MEND),
    K.LOCATION_UNKNOWN: Answer("The location is not the partner's.", _MEND),
    K.LOCATION_NOT_ENROLLED: Answer("The location is not in the programme.", "Enrol it, or name another."),
    K.TENANT_UNKNOWN: Answer("The customer is not known.", "Look at tenant_id."),
    K.TENANT_DOMAIN_MISMATCH: Answer("The domain is not this customer's.", _MEND),
    K.CHANNEL_NOT_ELIGIBLE: Answer("The customer bought in a way that does not count.", "Nothing."),
    K.ROLE_NOT_IN_AREA: Answer("The role is not offered in this solution area.", _MEND),
    K.WORKLOAD_NOT_IN_AREA: Answer("The workload is not of this solution area.", _MEND),
    K.OPT_OUT_NOT_OFFERED: Answer("No payment to opt out of here.", "Leave incentive_opt_out out."),
    K.REVENUE_NOT_OFFERED: Answer("Revenue fields belong to Influenced revenue, all three.", _MEND),
    K.ENGAGEMENT_MISMATCH: Answer("The engagement does not fit area and role.", "Leave it out, or mend it."),
    K.NOT_A_CPOR_ENGAGEMENT: Answer("The engagement is claimed elsewhere.", "Use its own process."),
    K.ALREADY_CLAIMED: Answer("An open or approved claim of yours has this.", "Go on with that one."),
    K.POE_NOT_UPDATED: Answer("The same documents were rejected before.", "Attach at least one new one."),
    K.NOTHING_PROVIDED: Answer("Resubmitted without any change.", "Edit, attach or comment first."),
    K.SUBSCRIPTION_UNKNOWN: Answer("No such subscription.", "Look at subscription_id."),
    K.NOT_A_SUBSCRIPTION_ID: Answer("Not the form of a subscription id.", "Use the id, not the order's number."),
    K.SUBSCRIPTION_OTHER_TENANT: Answer("The subscription is another customer's.", _MEND),
    K.SUBSCRIPTION_OTHER_PRODUCT: Answer("The subscription is for other products.", _MEND),
    K.SUBSCRIPTION_CSP: Answer("Bought from a CSP: it does not count.", "Nothing."),
    K.SUBSCRIPTION_NOT_PROVISIONED: Answer("Not there yet.", "detail says when to try again."),
    K.SUBSCRIPTION_INACTIVE: Answer("The subscription is over.", "Name one that runs."),
}

#: Any message can get these.
ALWAYS: tuple[Code, ...] = (
    K.ACCEPTED, K.DUPLICATE, K.MALFORMED_JSON, K.MISSING_MESSAGE_ID, K.MESSAGE_TOO_LARGE, K.UNKNOWN_TYPE,
    K.INVALID_FIELDS, K.WRONG_KEY, K.PARTNER_MISMATCH, K.PARTNER_UNKNOWN, K.PARTNER_SUSPENDED, K.USER_UNKNOWN,
    K.NOT_PERMITTED, K.CONFLICTING_MESSAGE,
)  # fmt: skip
_LATER = (K.CLAIM_UNKNOWN, K.ILLEGAL_TRANSITION)
_BEGINS = (K.CLAIM_EXISTS, K.REFERENCE_BOUND)
_FACTS = (
    K.LOCATION_UNKNOWN, K.LOCATION_NOT_ENROLLED, K.TENANT_UNKNOWN, K.TENANT_DOMAIN_MISMATCH, K.CHANNEL_NOT_ELIGIBLE,
    K.ROLE_NOT_IN_AREA, K.WORKLOAD_NOT_IN_AREA, K.OPT_OUT_NOT_OFFERED, K.REVENUE_NOT_OFFERED, K.ENGAGEMENT_MISMATCH,
    K.NOT_A_CPOR_ENGAGEMENT, K.SUBSCRIPTION_UNKNOWN, K.NOT_A_SUBSCRIPTION_ID, K.SUBSCRIPTION_OTHER_TENANT,
    K.SUBSCRIPTION_OTHER_PRODUCT, K.SUBSCRIPTION_CSP, K.SUBSCRIPTION_NOT_PROVISIONED, K.SUBSCRIPTION_INACTIVE,
)  # fmt: skip
_OWN = (K.ALREADY_CLAIMED, K.POE_NOT_UPDATED)
_DECLARED = (K.DOCUMENT_TOO_LARGE, K.DOCUMENT_EMPTY, K.DOCUMENT_TYPE_NOT_ALLOWED)
_FILES = (*_DECLARED, K.DOCUMENT_MISSING, K.DOCUMENT_DIGEST_MISMATCH, K.DOCUMENT_ENCRYPTED, K.DOCUMENT_UNREADABLE)
_WINDOW = (K.WINDOW_CLOSED, K.NOT_DISPUTABLE, K.DISPUTE_SPENT)


@dataclass(frozen=True, slots=True)
class Told:
    """What a command is for; the status it leads to; the codes beside `ALWAYS` that can answer it."""

    what: str
    leads: str
    codes: tuple[Code, ...]


COMMANDS: Mapping[C, Told] = {
    C.CREATE: Told(
        "Begins a claim as a draft. The whole form is given; facts that speak against it are warnings.",
        "draft", (*_BEGINS, *_FACTS),
    ),
    C.EDIT: Told(
        "Changes fields of the form. What is left out stays; workloads and contacts replace what was there. "
        "Which fields may change depends on the status.",
        "the same", (*_LATER, K.EDIT_NOT_ALLOWED, K.LAST_WORKLOAD, *_FACTS, *_OWN),
    ),
    C.CANCEL: Told("Ends a draft.", "cancelled", _LATER),
    C.POE_RESERVE: Told(
        "Asks for a place for a file. The receipt carries document_id and upload: the address and the form fields of "
        "a POST, good for 24 hours and for this file only.",
        "the same", (*_LATER, *_DECLARED, K.TOO_MANY_DOCUMENTS, *_WINDOW),
    ),
    C.POE_ATTACH: Told(
        "Makes an uploaded file part of the claim. It is looked at first: type, password, size, digest.",
        "the same",
        (*_LATER, *_FILES, K.DOCUMENT_UNKNOWN, K.TOO_MANY_DOCUMENTS, K.WORKLOAD_NOT_IN_AREA, *_WINDOW),
    ),
    C.POE_AMEND: Told(
        "Changes what is said of a document. What is left out stays; null takes the signature date away.",
        "the same", (*_LATER, K.DOCUMENT_UNKNOWN, K.WORKLOAD_NOT_IN_AREA),
    ),
    C.POE_REMOVE: Told("Takes a document out of the claim.", "the same", (*_LATER, K.DOCUMENT_UNKNOWN)),
    C.COMMENT: Told("Says something to the reviewers.", "the same", (*_LATER, K.TOO_MANY_COMMENTS, K.WINDOW_CLOSED)),
    C.SUBMIT: Told(
        "Hands the draft in for review. All facts are judged now.",
        "submitted", (*_LATER, K.ACKNOWLEDGEMENTS_INCOMPLETE, K.POE_MISSING, *_FACTS, *_OWN),
    ),
    C.FILE: Told(
        "Create, attach and submit in one message, all or nothing. The files are put under incoming/<partner>/ of "
        "the bucket beforehand. The way for many claims.",
        "submitted",
        (*_BEGINS, K.ACKNOWLEDGEMENTS_INCOMPLETE, K.POE_MISSING, *_FILES, K.TOO_MANY_DOCUMENTS, *_FACTS, *_OWN),
    ),
    C.RESUBMIT: Told(
        "Answers a request for information. Edit and attach first; something must have changed.",
        "submitted",
        (*_LATER, K.NOTHING_PROVIDED, K.POE_MISSING, K.WINDOW_CLOSED, K.TOO_MANY_COMMENTS, *_FACTS, *_OWN),
    ),
    C.WITHDRAW: Told("Takes the claim back.", "rejected", (*_LATER, K.REASON_REQUIRED)),
    C.DISPUTE: Told(
        "Objects to a rejection, with a justification, with documents attached since, or both.",
        "disputed",
        (*_LATER, *_WINDOW, K.DISPUTE_EMPTY, K.DOCUMENT_UNKNOWN, K.ALREADY_CLAIMED),
    ),
    C.DISASSOCIATE: Told("Ends the association of an approved claim.", "rejected_final", (*_LATER, K.REASON_REQUIRED)),
}  # fmt: skip

#: Only reviewers and operators meet these.
INSIDE: frozenset[Code] = frozenset(
    {K.STALE_SEQUENCE, K.INCUMBENTS_NOT_NAMED, K.WORKLOAD_NOT_COVERED, K.REASON_NOT_ALLOWED}
)
