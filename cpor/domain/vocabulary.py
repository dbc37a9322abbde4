"""The closed words of the field: statuses, roles, reasons, clocks, codes, names of messages.

Every word that goes over a wire stands here once, under its wire spelling. Labels for people are
made elsewhere, per edition and language (D31); a status code is never translated (domain §1.1).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from cpor.domain.instants import (
    MS_PER_DAY as MS_PER_DAY,
)
from cpor.domain.instants import (
    Instant as Instant,
)
from cpor.domain.instants import (
    InstantField as InstantField,
)
from cpor.domain.instants import (
    datetime_instant as datetime_instant,
)
from cpor.domain.instants import (
    instant_text as instant_text,
)
from cpor.domain.instants import (
    parse_instant as parse_instant,
)

ClaimId = NewType("ClaimId", str)
PartnerId = NewType("PartnerId", str)
LocationId = NewType("LocationId", str)
TenantId = NewType("TenantId", str)
SubscriptionId = NewType("SubscriptionId", str)
UnitId = NewType("UnitId", str)
UserId = NewType("UserId", str)
DocumentId = NewType("DocumentId", str)


class Edition(StrEnum):
    """The editions of the rules (D1)."""

    P2020 = "P2020"
    P2023 = "P2023"


class Status(StrEnum):
    """Domain §1.1, and `cancelled` (D8)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    PARTNER_ACTION_REQUIRED = "partner_action_required"
    APPROVED = "approved"
    REJECTED = "rejected"
    DISPUTED = "disputed"
    REJECTED_FINAL = "rejected_final"
    CANCELLED = "cancelled"


class SolutionArea(StrEnum):
    """R1."""

    BUSINESS_APPLICATIONS = "business_applications"
    MODERN_WORK_SECURITY = "modern_work_security"


class PartnerRole(StrEnum):
    """R8, R10."""

    BUILD_INTENT_ADVISOR = "build_intent_advisor"
    USAGE_RECOGNITION = "usage_recognition"
    INFLUENCED_REVENUE = "influenced_revenue"
    USE_OR_CONSUME = "use_or_consume"


class Engagement(StrEnum):
    """One id per row of domain §1.4 (D13); older names are aliases in the policy data."""

    MCI_BIZAPPS_PRESALES_ADVISOR = "mci_bizapps_presales_advisor"
    USAGE_RECOGNITION_BIZAPPS = "usage_recognition_bizapps"
    BUSINESS_APPLICATIONS_REVENUE = "business_applications_revenue"
    MODERN_WORK_SECURITY_USAGE = "modern_work_security_usage"


class InformationReason(StrEnum):
    """Why more information is needed (R32), and `other` (D24)."""

    MISSING_ALL_POE = "missing_all_poe"
    MISSING_CUSTOMER_ACKNOWLEDGMENT = "missing_customer_acknowledgment"
    MISSING_OR_OLD_DATES = "missing_or_old_dates"
    MISSING_PARTNER_SOLUTION_SERVICE = "missing_partner_solution_service"
    MISSING_PRODUCTS = "missing_products"
    OTHER = "other"


class RejectionReason(StrEnum):
    """Why a claim was rejected (R38, D24); the last two are in no seed's list (domain §1.6)."""

    CUSTOMER_DECLINED = "customer_declined"
    INSUFFICIENT_POE = "insufficient_poe"
    PARTNER_REQUEST = "partner_request"
    MISSING_CUSTOMER_CONSENT_ON_POE = "missing_customer_consent_on_poe"
    NO_PARTNER_RESPONSE = "no_partner_response"
    MISSING_PRODUCTS = "missing_products"
    POE_UNAVAILABLE = "poe_unavailable"
    OTHER = "other"
    DISPUTE_UNSUCCESSFUL = "dispute_unsuccessful"
    DISASSOCIATED = "disassociated"


class Clock(StrEnum):
    """Contract §5; only `partner_answer` changes a claim by itself (domain §2.3)."""

    REVIEW_START = "review_start"
    REVIEW_DECISION = "review_decision"
    OVERALL_DECISION = "overall_decision"
    PARTNER_ANSWER = "partner_answer"
    DISPUTE_ANSWER = "dispute_answer"
    DISPUTE_WINDOW = "dispute_window"
    CONSENT_WAIT = "consent_wait"


class ActorKind(StrEnum):
    PARTNER = "partner"
    REVIEWER = "reviewer"
    CUSTOMER = "customer"
    SYSTEM = "system"
    OPERATOR = "operator"


class MailWanted(StrEnum):
    """Which mails a partner's user gets; the mandatory ones cannot be switched off."""

    ALL = "all"
    MANDATORY = "mandatory"


class UserRole(StrEnum):
    """R5, D14; the role comes from the partner's directory entry."""

    INCENTIVES_ADMIN = "incentives_admin"
    BILLING_ADMIN = "billing_admin"
    GLOBAL_ADMIN = "global_admin"
    INCENTIVES_USER = "incentives_user"


class PartnerStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Channel(StrEnum):
    """How the customer bought (R9)."""

    VOLUME_LICENSING = "volume_licensing"
    WEB_DIRECT = "web_direct"
    CSP = "csp"


class SubscriptionState(StrEnum):
    """R18."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    GRACE = "grace"
    ENDED = "ended"


class WithdrawReason(StrEnum):
    """D8, contract §3."""

    WRONG_PARTNER_ID = "wrong_partner_id"
    WRONG_ROLE = "wrong_role"
    NO_LONGER_WORKS_WITH_CUSTOMER = "no_longer_works_with_customer"
    OTHER = "other"


class Acknowledgement(StrEnum):
    """P2023 only (D31, contract §8)."""

    INFORMATION_IS_ACCURATE = "information_is_accurate"
    CUSTOMER_IS_INFORMED = "customer_is_informed"
    PROGRAM_TERMS_ACCEPTED = "program_terms_accepted"


class Incentive(StrEnum):
    """What the hand-off asks for (D13)."""

    ASSESS = "assess"
    NONE = "none"


class IncentiveReason(StrEnum):
    """Why a hand-off asks for nothing (D13, R50)."""

    ROLE_NOT_INCENTIVIZED = "role_not_incentivized"
    OPTED_OUT = "opted_out"
    LEGACY = "legacy"


class IncentiveResultKind(StrEnum):
    """D29."""

    ELIGIBILITY = "eligibility"
    EARNING = "earning"


class EligibilityOutcome(StrEnum):
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"


class ConsentOutcome(StrEnum):
    """What the consent service tells review (contract §4)."""

    DECLINED = "declined"
    COMPLETED = "completed"
    SUSPENDED = "suspended"
    AGREED = "agreed"


class SuspensionReason(StrEnum):
    """Contract §5, D20."""

    NOTICE_BOUNCED = "notice_bounced"
    NOT_DELIVERED = "not_delivered"
    ANSWER_HELD = "answer_held"


class AssociationEndReason(StrEnum):
    """Why units were lost without a change of status (D16, D17, D23)."""

    DISPLACED = "displaced"
    REASSOCIATED = "reassociated"
    SUBSCRIPTION_ENDED = "subscription_ended"


class RevocationReason(StrEnum):
    """Why an approval no longer counts downstream (contract §5)."""

    CUSTOMER_DECLINED = "customer_declined"
    WITHDRAWN = "withdrawn"
    DISASSOCIATED = "disassociated"
    DISPLACED = "displaced"


class Outcome(StrEnum):
    """Of a receipt (contract §3)."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class EventName(StrEnum):
    """Claim events (contract §5); the type on the wire is `cpor.claim.<name>.v1`."""

    DRAFTED = "drafted"
    FILED = "filed"
    EDITED = "edited"
    DOCUMENT_ATTACHED = "document_attached"
    DOCUMENT_AMENDED = "document_amended"
    DOCUMENT_REMOVED = "document_removed"
    COMMENTED = "commented"
    SUBMITTED = "submitted"
    COMPETITION_FLAGGED = "competition_flagged"
    REVIEW_STARTED = "review_started"
    INFORMATION_REQUESTED = "information_requested"
    RESUBMITTED = "resubmitted"
    APPROVED = "approved"
    CONSENT_COMPLETED = "consent_completed"
    ASSOCIATION_ENDED = "association_ended"
    REJECTED = "rejected"
    REJECTED_FINAL = "rejected_final"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"
    PARKED = "parked"
    UNPARKED = "unparked"
    COMMAND_REFUSED = "command_refused"
    CONSENT_ANSWERED = "consent_answered"
    CONSENT_SUSPENDED = "consent_suspended"
    INCENTIVE_RESULT = "incentive_result"
    LEGACY_IMPORTED = "legacy_imported"

    @property
    def ce_type(self) -> str:
        return f"cpor.claim.{self.value}.v1"


class CommandName(StrEnum):
    """The `ce_type` of everything that may ask for a change (contract §3, §4, §5)."""

    CREATE = "cpor.claim.create.v1"
    EDIT = "cpor.claim.edit.v1"
    CANCEL = "cpor.claim.cancel.v1"
    POE_RESERVE = "cpor.poe.reserve.v1"
    POE_ATTACH = "cpor.poe.attach.v1"
    POE_AMEND = "cpor.poe.amend.v1"
    POE_REMOVE = "cpor.poe.remove.v1"
    COMMENT = "cpor.claim.comment.v1"
    SUBMIT = "cpor.claim.submit.v1"
    FILE = "cpor.claim.file.v1"
    RESUBMIT = "cpor.claim.resubmit.v1"
    WITHDRAW = "cpor.claim.withdraw.v1"
    DISPUTE = "cpor.claim.dispute.v1"
    DISASSOCIATE = "cpor.claim.disassociate.v1"
    REVIEW_START = "cpor.review.start.v1"
    REVIEW_REQUEST_INFORMATION = "cpor.review.request_information.v1"
    REVIEW_APPROVE = "cpor.review.approve.v1"
    REVIEW_REJECT = "cpor.review.reject.v1"
    REVIEW_COMMENT = "cpor.review.comment.v1"
    OPS_IMPORT_LEGACY = "cpor.ops.import_legacy.v1"
    OPS_RESEND_NOTICE = "cpor.ops.resend_notice.v1"
    OPS_END_SUBSCRIPTION = "cpor.ops.end_subscription.v1"
    CONSENT_OUTCOME = "cpor.consent.outcome.v1"
    DEADLINE_EXPIRED = "cpor.deadline.expired.v1"
    PARK = "cpor.claim.park.v1"
    UNPARK = "cpor.claim.unpark.v1"
    ELIGIBILITY_RESULT = "cpor.eligibility.result.v1"
    EARNING = "cpor.earning.v1"


#: What a partner may send (contract §3); everything else in `CommandName` comes from inside.
PARTNER_COMMANDS: tuple[CommandName, ...] = tuple(CommandName)[:14]


class Code(StrEnum):
    """Every code of a receipt, an `errors[]` entry or a refusal (contract §4, §9, D22)."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    MALFORMED_JSON = "malformed_json"
    MISSING_MESSAGE_ID = "missing_message_id"
    MESSAGE_TOO_LARGE = "message_too_large"
    UNKNOWN_TYPE = "unknown_type"
    INVALID_FIELDS = "invalid_fields"
    WRONG_KEY = "wrong_key"
    PARTNER_MISMATCH = "partner_mismatch"
    PARTNER_UNKNOWN = "partner_unknown"
    PARTNER_SUSPENDED = "partner_suspended"
    USER_UNKNOWN = "user_unknown"
    NOT_PERMITTED = "not_permitted"
    CONFLICTING_MESSAGE = "conflicting_message"
    CLAIM_UNKNOWN = "claim_unknown"
    CLAIM_EXISTS = "claim_exists"
    ILLEGAL_TRANSITION = "illegal_transition"
    EDIT_NOT_ALLOWED = "edit_not_allowed"
    LAST_WORKLOAD = "last_workload"
    ACKNOWLEDGEMENTS_INCOMPLETE = "acknowledgements_incomplete"
    POE_MISSING = "poe_missing"
    DOCUMENT_UNKNOWN = "document_unknown"
    DOCUMENT_MISSING = "document_missing"
    DOCUMENT_TOO_LARGE = "document_too_large"
    DOCUMENT_EMPTY = "document_empty"
    DOCUMENT_DIGEST_MISMATCH = "document_digest_mismatch"
    DOCUMENT_TYPE_NOT_ALLOWED = "document_type_not_allowed"
    DOCUMENT_ENCRYPTED = "document_encrypted"
    DOCUMENT_UNREADABLE = "document_unreadable"
    TOO_MANY_DOCUMENTS = "too_many_documents"
    WINDOW_CLOSED = "window_closed"
    NOT_DISPUTABLE = "not_disputable"
    DISPUTE_SPENT = "dispute_spent"
    DISPUTE_EMPTY = "dispute_empty"
    REASON_REQUIRED = "reason_required"
    LOCATION_UNKNOWN = "location_unknown"
    LOCATION_NOT_ENROLLED = "location_not_enrolled"
    TENANT_UNKNOWN = "tenant_unknown"
    TENANT_DOMAIN_MISMATCH = "tenant_domain_mismatch"
    CHANNEL_NOT_ELIGIBLE = "channel_not_eligible"
    ROLE_NOT_IN_AREA = "role_not_in_area"
    WORKLOAD_NOT_IN_AREA = "workload_not_in_area"
    OPT_OUT_NOT_OFFERED = "opt_out_not_offered"
    REVENUE_NOT_OFFERED = "revenue_not_offered"
    ENGAGEMENT_MISMATCH = "engagement_mismatch"
    NOT_A_CPOR_ENGAGEMENT = "not_a_cpor_engagement"
    REFERENCE_BOUND = "reference_bound"
    TOO_MANY_COMMENTS = "too_many_comments"
    ALREADY_CLAIMED = "already_claimed"
    POE_NOT_UPDATED = "poe_not_updated"
    NOTHING_PROVIDED = "nothing_provided"
    SUBSCRIPTION_UNKNOWN = "subscription_unknown"
    SUBSCRIPTION_OTHER_TENANT = "subscription_other_tenant"
    SUBSCRIPTION_OTHER_PRODUCT = "subscription_other_product"
    SUBSCRIPTION_CSP = "subscription_csp"
    SUBSCRIPTION_NOT_PROVISIONED = "subscription_not_provisioned"
    SUBSCRIPTION_INACTIVE = "subscription_inactive"
    NOT_A_SUBSCRIPTION_ID = "not_a_subscription_id"
    # Refusals of reviewers' and operators' commands only (contract §4).
    STALE_SEQUENCE = "stale_sequence"
    INCUMBENTS_NOT_NAMED = "incumbents_not_named"
    WORKLOAD_NOT_COVERED = "workload_not_covered"
    REASON_NOT_ALLOWED = "reason_not_allowed"
