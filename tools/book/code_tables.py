"""The codes of the rule book: what each means, who can meet it, and which rule says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from cpor.domain.policy import Policy
from cpor.domain.transitions import BEGINNINGS, REVIEWER_COMMANDS
from cpor.domain.vocabulary import PARTNER_COMMANDS, Code
from cpor.domain.vocabulary import CommandName as C
from tools.book.markdown import EDITIONS, NONE, code, listed, table
from tools.partner_words import ALWAYS, ANSWERS, COMMANDS

K = Code

#: What partners never meet.
INSIDE_MEANS: Mapping[Code, str] = {
    K.STALE_SEQUENCE: "The claim has moved on since the state that was looked at.",
    K.INCUMBENTS_NOT_NAMED: "Units are held by others, whom the approval does not name.",
    K.WORKLOAD_NOT_COVERED: "No document names a claimed workload.",
    K.REASON_NOT_ALLOWED: "The reason is the system's own, or of the other list.",
}

_FACTS = (
    K.PARTNER_UNKNOWN, K.PARTNER_SUSPENDED, K.LOCATION_UNKNOWN, K.LOCATION_NOT_ENROLLED, K.TENANT_UNKNOWN,
    K.TENANT_DOMAIN_MISMATCH, K.CHANNEL_NOT_ELIGIBLE, K.SUBSCRIPTION_UNKNOWN, K.NOT_A_SUBSCRIPTION_ID,
    K.SUBSCRIPTION_OTHER_TENANT, K.SUBSCRIPTION_OTHER_PRODUCT, K.SUBSCRIPTION_CSP, K.SUBSCRIPTION_NOT_PROVISIONED,
    K.SUBSCRIPTION_INACTIVE,
)  # fmt: skip
_REASONS = (K.INVALID_FIELDS, K.REASON_REQUIRED, K.REASON_NOT_ALLOWED)
#: What the handler of a reviewer's or operator's command can answer.
INSIDE: Mapping[C, tuple[Code, ...]] = {
    C.REVIEW_START: (),
    C.REVIEW_REQUEST_INFORMATION: (*_REASONS, K.LAST_WORKLOAD),
    C.REVIEW_APPROVE: (K.INVALID_FIELDS, K.WORKLOAD_NOT_COVERED, K.INCUMBENTS_NOT_NAMED, *_FACTS),
    C.REVIEW_REJECT: _REASONS,
    C.REVIEW_COMMENT: (K.INVALID_FIELDS, K.TOO_MANY_COMMENTS, K.WINDOW_CLOSED),
    C.OPS_IMPORT_LEGACY: (
        K.INVALID_FIELDS, K.ALREADY_CLAIMED, K.PARTNER_UNKNOWN, K.PARTNER_SUSPENDED, K.LOCATION_UNKNOWN,
        K.ROLE_NOT_IN_AREA, K.SUBSCRIPTION_OTHER_TENANT,
    ),
    C.OPS_RESEND_NOTICE: (K.INVALID_FIELDS,),
}  # fmt: skip
_LATER = (K.CLAIM_UNKNOWN, K.STALE_SEQUENCE, K.ILLEGAL_TRANSITION)
#: What is judged before a handler is asked: whether the claim exists, has moved on, allows it.
BEFORE: Mapping[C, tuple[Code, ...]] = {
    **dict.fromkeys((*REVIEWER_COMMANDS, C.OPS_RESEND_NOTICE), _LATER),
    C.OPS_IMPORT_LEGACY: (K.CLAIM_EXISTS,),
}

#: Codes that not every edition has.
ONLY: Mapping[Code, Callable[[Policy], bool]] = {K.DISPUTE_SPENT: lambda p: p.dispute.max_disputes is not None}

SOURCES: Mapping[Code, str] = {
    K.ACCEPTED: "contract §3",
    K.DUPLICATE: "contract §3",
    K.MALFORMED_JSON: "contract §2",
    K.MISSING_MESSAGE_ID: "contract §2",
    K.MESSAGE_TOO_LARGE: "contract §3",
    K.UNKNOWN_TYPE: "contract §3",
    K.INVALID_FIELDS: "R6 R16 D2 D21",
    K.WRONG_KEY: "contract §3",
    K.PARTNER_MISMATCH: "contract §1",
    K.PARTNER_UNKNOWN: "D22",
    K.PARTNER_SUSPENDED: "D22",
    K.USER_UNKNOWN: "D14",
    K.NOT_PERMITTED: "R5 D14",
    K.CONFLICTING_MESSAGE: "contract §3",
    K.CLAIM_UNKNOWN: "contract §3",
    K.CLAIM_EXISTS: "contract §3",
    K.ILLEGAL_TRANSITION: "§2.2",
    K.EDIT_NOT_ALLOWED: "R35 D6",
    K.LAST_WORKLOAD: "R34 D15",
    K.ACKNOWLEDGEMENTS_INCOMPLETE: "R28 D31",
    K.POE_MISSING: "R23 R24 T3",
    K.DOCUMENT_UNKNOWN: "R25 D12 D21",
    K.DOCUMENT_MISSING: "R25 D21",
    K.DOCUMENT_TOO_LARGE: "D21",
    K.DOCUMENT_EMPTY: "D21",
    K.DOCUMENT_DIGEST_MISMATCH: "D21",
    K.DOCUMENT_TYPE_NOT_ALLOWED: "D21",
    K.DOCUMENT_ENCRYPTED: "D21",
    K.DOCUMENT_UNREADABLE: "D21",
    K.TOO_MANY_DOCUMENTS: "D21",
    K.WINDOW_CLOSED: "R33 R39 T17 D12 D26",
    K.NOT_DISPUTABLE: "D7",
    K.DISPUTE_SPENT: "R41 D25",
    K.DISPUTE_EMPTY: "R40 D12",
    K.REASON_REQUIRED: "R32 R38 R51 D8 D24",
    K.LOCATION_UNKNOWN: "R12 D22",
    K.LOCATION_NOT_ENROLLED: "R12 D22",
    K.TENANT_UNKNOWN: "D22",
    K.TENANT_DOMAIN_MISMATCH: "R19 D22",
    K.CHANNEL_NOT_ELIGIBLE: "R9 D22",
    K.ROLE_NOT_IN_AREA: "R8",
    K.WORKLOAD_NOT_IN_AREA: "R14 D2",
    K.OPT_OUT_NOT_OFFERED: "R13 D31",
    K.REVENUE_NOT_OFFERED: "R7",
    K.ENGAGEMENT_MISMATCH: "D13",
    K.NOT_A_CPOR_ENGAGEMENT: "R2 D13",
    K.REFERENCE_BOUND: "contract §3",
    K.TOO_MANY_COMMENTS: "contract §5",
    K.ALREADY_CLAIMED: "D27 D23",
    K.POE_NOT_UPDATED: "R39 D27",
    K.NOTHING_PROVIDED: "T10 D15",
    K.SUBSCRIPTION_UNKNOWN: "R18 D22",
    K.SUBSCRIPTION_OTHER_TENANT: "R18 D22",
    K.SUBSCRIPTION_OTHER_PRODUCT: "R18 D22",
    K.SUBSCRIPTION_CSP: "R18 D22",
    K.SUBSCRIPTION_NOT_PROVISIONED: "R18 D22",
    K.SUBSCRIPTION_INACTIVE: "R18 D22",
    K.NOT_A_SUBSCRIPTION_ID: "R18 D22",
    K.STALE_SEQUENCE: "contract §4",
    K.INCUMBENTS_NOT_NAMED: "R21 D17",
    K.WORKLOAD_NOT_COVERED: "R26 D21",
    K.REASON_NOT_ALLOWED: "D24",
}

#: Sets of commands that have a name.
_NAMED: Mapping[frozenset[C], str] = {
    frozenset(PARTNER_COMMANDS): "any message",
    frozenset(PARTNER_COMMANDS) - {*BEGINNINGS}: "any but create, file",
    frozenset(INSIDE): "any command",
    frozenset(INSIDE) - {*BEGINNINGS}: "any but ops.import_legacy",
    frozenset(REVIEWER_COMMANDS): "any of review",
}


def errors() -> str:
    head = ("code", "means", "a partner meets it with", "others meet it with", "source")
    return table(head, [(code(each), _means(each), _partners(each), _others(each), SOURCES[each]) for each in Code])


def _means(each: Code) -> str:
    holds = ONLY.get(each)
    found = [rules.edition for rules in EDITIONS if holds is None or holds(rules)]
    only = "" if len(found) == len(EDITIONS) else f"{listed(found)} only. "
    return only + (ANSWERS[each].means if each in ANSWERS else INSIDE_MEANS[each])


def _partners(each: Code) -> str:
    found = PARTNER_COMMANDS if each in ALWAYS else [name for name, told in COMMANDS.items() if each in told.codes]
    return _short(found)


def _others(each: Code) -> str:
    return _short([name for name in BEFORE if each in (*INSIDE[name], *BEFORE[name])])


def _short(names: Collection[C]) -> str:
    """`claim.` is left out: it is most of them."""
    if frozenset(names) in _NAMED:
        return _NAMED[frozenset(names)]
    return ", ".join(name.removeprefix("cpor.").removeprefix("claim.").removesuffix(".v1") for name in names) or NONE
