"""Every topic of the pipeline with its settings: one table (contract §1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000
MIB = 1024 * 1024


class Count(StrEnum):
    """How many partitions a topic has: one setting for all of its kind, never changed after the first start."""

    CLAIMS = "claims"
    PARTNERS = "partners"
    ONE = "one"


class Topic(StrEnum):
    """The fixed topics."""

    CLAIM_COMMANDS = "cpor.claims.commands"
    CLAIM_EVENTS = "cpor.claims.events"
    CLAIM_STATE = "cpor.claims.state"
    ASSOCIATIONS = "cpor.claims.associations"
    APPROVED = "cpor.claims.approved"
    ELIGIBLE = "cpor.claims.eligible"
    CONSENT_RESPONSES = "cpor.consent.responses"
    INCENTIVE_RESULTS = "cpor.incentives.results"
    CONSENT_EVENTS = "cpor.consent.events"
    DEADLINE_EVENTS = "cpor.deadlines.events"
    MAIL = "cpor.notify.mail"
    DELIVERIES = "cpor.notify.deliveries"
    PARTNERS = "cpor.reference.partners"
    CUSTOMERS = "cpor.reference.customers"
    SUBSCRIPTIONS = "cpor.reference.subscriptions"
    DEAD_LETTERS = "cpor.dead-letters"
    AUDIT = "cpor.audit"
    INTAKE_SLOTS = "cpor.intake.slots"
    INTAKE_STATE = "cpor.intake.state"
    INTAKE_PARKED = "cpor.intake.parked"
    REVIEW_SLOTS = "cpor.review.slots"
    REVIEW_PARKED = "cpor.review.parked"
    DEADLINES_SLOTS = "cpor.deadlines.slots"
    DEADLINES_STATE = "cpor.deadlines.state"
    DEADLINES_TIMERS = "cpor.deadlines.timers"
    CONSENT_SLOTS = "cpor.consent.slots"
    CONSENT_STATE = "cpor.consent.state"
    CONSENT_TIMERS = "cpor.consent.timers"
    NOTIFY_SLOTS = "cpor.notify.slots"
    NOTIFY_STATE = "cpor.notify.state"
    NOTIFY_OUTBOX = "cpor.notify.outbox"
    NOTIFY_TIMERS = "cpor.notify.timers"
    NOTIFY_PARKED = "cpor.notify.parked"
    NOTIFY_RESEND = "cpor.notify.resend"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic's partitions and broker settings."""

    name: str
    count: Count
    compact: bool = False
    keep_days: int | None = None
    max_message_bytes: int = MIB
    #: Where others than our workers write: the broker unpacks whatever codec comes, and readers need none.
    uncompressed: bool = False

    def settings(self) -> dict[str, str]:
        """The broker's settings; every topic stamps LogAppendTime (D19)."""
        settings = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(self.max_message_bytes)}
        if self.compact:
            settings |= {"cleanup.policy": "compact", "delete.retention.ms": str(7 * DAY_MS), "segment.ms": str(DAY_MS)}
        else:
            settings |= {
                "cleanup.policy": "delete",
                "retention.ms": str(-1 if self.keep_days is None else self.keep_days * DAY_MS),
            }
        if self.uncompressed:
            settings["compression.type"] = "uncompressed"
        return settings


CLAIMS, PARTNERS, ONE = Count.CLAIMS, Count.PARTNERS, Count.ONE

FIXED_TOPICS: tuple[TopicSpec, ...] = (
    TopicSpec(Topic.CLAIM_COMMANDS, CLAIMS, keep_days=90, uncompressed=True),
    TopicSpec(Topic.CLAIM_EVENTS, CLAIMS, max_message_bytes=2 * MIB),
    # A row holds all documents, and each came with a message of its own: see `tests/unit/runtime/test_sizes.py`.
    TopicSpec(Topic.CLAIM_STATE, CLAIMS, compact=True, max_message_bytes=8 * MIB),
    TopicSpec(Topic.ASSOCIATIONS, CLAIMS, compact=True),
    TopicSpec(Topic.APPROVED, CLAIMS),
    TopicSpec(Topic.ELIGIBLE, CLAIMS),
    TopicSpec(Topic.CONSENT_RESPONSES, CLAIMS, uncompressed=True),
    TopicSpec(Topic.INCENTIVE_RESULTS, CLAIMS, uncompressed=True),
    TopicSpec(Topic.CONSENT_EVENTS, CLAIMS),
    TopicSpec(Topic.DEADLINE_EVENTS, CLAIMS),
    TopicSpec(Topic.MAIL, CLAIMS, keep_days=90),
    TopicSpec(Topic.DELIVERIES, CLAIMS),
    # A partner may have tens of thousands of users.
    TopicSpec(Topic.PARTNERS, ONE, compact=True, max_message_bytes=8 * MIB, uncompressed=True),
    TopicSpec(Topic.CUSTOMERS, CLAIMS, compact=True, uncompressed=True),
    TopicSpec(Topic.SUBSCRIPTIONS, CLAIMS, compact=True, uncompressed=True),
    TopicSpec(Topic.DEAD_LETTERS, ONE, keep_days=400, max_message_bytes=10 * MIB),
    TopicSpec(Topic.AUDIT, ONE),
    TopicSpec(Topic.INTAKE_SLOTS, PARTNERS, keep_days=1),
    TopicSpec(Topic.INTAKE_STATE, PARTNERS, compact=True),
    TopicSpec(Topic.INTAKE_PARKED, PARTNERS, compact=True),
    TopicSpec(Topic.REVIEW_SLOTS, CLAIMS, keep_days=1),
    TopicSpec(Topic.REVIEW_PARKED, CLAIMS, compact=True),
    TopicSpec(Topic.DEADLINES_SLOTS, CLAIMS, keep_days=1),
    TopicSpec(Topic.DEADLINES_STATE, CLAIMS, compact=True),
    TopicSpec(Topic.DEADLINES_TIMERS, CLAIMS, compact=True),
    TopicSpec(Topic.CONSENT_SLOTS, CLAIMS, keep_days=1),
    TopicSpec(Topic.CONSENT_STATE, CLAIMS, compact=True),
    TopicSpec(Topic.CONSENT_TIMERS, CLAIMS, compact=True),
    TopicSpec(Topic.NOTIFY_SLOTS, CLAIMS, keep_days=1),
    TopicSpec(Topic.NOTIFY_STATE, CLAIMS, compact=True),
    TopicSpec(Topic.NOTIFY_OUTBOX, CLAIMS, compact=True),
    TopicSpec(Topic.NOTIFY_TIMERS, CLAIMS, compact=True),
    TopicSpec(Topic.NOTIFY_PARKED, CLAIMS, compact=True),
    TopicSpec(Topic.NOTIFY_RESEND, CLAIMS, keep_days=90),
)

_LARGE = {spec.name: spec for spec in FIXED_TOPICS if spec.max_message_bytes != MIB}
#: Batch and record header, header names and lengths.
RECORD_MARGIN = 4 * 1024

PARTNER_ID = re.compile(r"[A-Za-z0-9-]{1,40}")
_COMMANDS = re.compile(r"cpor\.partners\.([A-Za-z0-9-]{1,40})\.commands")


def commands_topic(partner: str) -> str:
    return f"cpor.partners.{partner}.commands"


def receipts_topic(partner: str) -> str:
    return f"cpor.partners.{partner}.receipts"


def updates_topic(partner: str) -> str:
    return f"cpor.partners.{partner}.updates"


def partner_topics(partner: str) -> tuple[TopicSpec, ...]:
    """The three topics of a partner."""
    if not PARTNER_ID.fullmatch(partner):
        raise ValueError(f"a partner id is 1-40 of A-Za-z0-9-, not {partner[:64]!r}")
    return (
        TopicSpec(commands_topic(partner), PARTNERS, keep_days=30, max_message_bytes=8 * MIB, uncompressed=True),
        TopicSpec(receipts_topic(partner), ONE, keep_days=30),
        TopicSpec(updates_topic(partner), ONE),
    )


def largest_record(topic: str) -> int:
    """How many bytes a record of the topic may have, with a margin for what Kafka adds to it."""
    spec = _LARGE.get(topic)
    limit = spec.max_message_bytes if spec is not None else 8 * MIB if partner_of(topic) else MIB
    return limit - RECORD_MARGIN


def partner_of(topic: str) -> str | None:
    """The partner whose command topic this is; the id comes from the topic's name, never from the message."""
    match = _COMMANDS.fullmatch(topic)
    return match.group(1) if match else None


def command_topics(all_topics: Iterable[str]) -> list[str]:
    """The partners' command topics among `all_topics`, sorted."""
    return sorted(topic for topic in all_topics if partner_of(topic) is not None)
