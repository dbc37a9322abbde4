"""English words for codes (§1.6). Labels that differ by edition stand in the editions' own files (D31)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codes:
    """A vocabulary; `kind` is its context in the catalogues."""

    kind: str
    english: Mapping[str, str]


#: Of both vocabularies; where they share a code they mean the same to a reader.
REASONS = Codes(
    "reason",
    {
        "missing_all_poe": "No usable proof of execution was found",
        "missing_customer_acknowledgment": "The customer's signature is missing",
        "missing_or_old_dates": "Dates are missing or too old",
        "missing_partner_solution_service": "The work you did is described too briefly or not at all",
        "missing_products": "A claimed product or workload is not named in the proof",
        "customer_declined": "The customer declined the association",
        "insufficient_poe": "The proof of execution is not sufficient",
        "partner_request": "Withdrawn at the partner's request",
        "missing_customer_consent_on_poe": "The proof does not show the customer's consent",
        "no_partner_response": "No answer came within the time given",
        "poe_unavailable": "The proof of execution could not be opened or found",
        "dispute_unsuccessful": "The dispute did not change the decision",
        "disassociated": "The association was ended by the partner",
        "other": "Another reason, given in the comment",
    },
)
CLOCKS = Codes(
    "clock",
    {
        "partner_answer": "answer to the reviewer's request",
        "dispute_window": "time to dispute",
        "review_start": "start of the review",
        "review_decision": "decision of the review",
        "overall_decision": "decision after the first submission",
        "dispute_answer": "answer to the dispute",
    },
)
TASKS = Codes(
    "task",
    {
        "first_notice_bounced": "the customer's first notice bounced",
        "notice_bounced": "the customer's notice bounced",
        "late_bounce": "the customer's notice bounced after the wait",
        "not_delivered": "the customer's notice has not arrived",
        "answer_held": "an answer of the customer has to be checked",
    },
)
AUTHORS = Codes(
    "author",
    {
        "reviewer": "The reviewer",
        "system": "The claims system",
        "operator": "The operations team",
        "customer": "The customer",
    },
)
ALL = (REASONS, CLOCKS, TASKS, AUTHORS)
