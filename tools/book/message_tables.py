"""The tables of docs/messages.md: topics, and types with their schemas."""

from __future__ import annotations

from collections.abc import Mapping

from cpor.runtime.topics import FIXED_TOPICS, Count, TopicSpec, partner_topics
from schemas.channels import CHANNELS, PARTNER
from schemas.registry import ADMITTED, MESSAGES, MessageSpec
from tools.book.markdown import NONE, code, listed, table

#: Topic → key, and what it holds; who sends and reads the public ones stands in `schemas.channels`.
#: `@tenant`: placed in the partition of the claim's tenant, whatever the key.
WORDS: Mapping[str, tuple[str, str]] = {
    **{each.topic: (each.key + " @tenant" * each.placed, each.holds.removesuffix(".")) for each in CHANNELS},
    "cpor.intake.state": ("partner/claim reference", "what intake remembers of a reference"),
    "cpor.intake.parked": ("partner/claim reference", "references that wait behind a dead letter"),
    "cpor.review.parked": ("tenant/claim id", "claims that wait behind a dead letter"),
    "cpor.deadlines.slots": (NONE, "nothing, ever: deadlines' group joins it"),
    "cpor.deadlines.state": ("claim id @tenant", "the clocks of a claim, and what of them is still to be told"),
    "cpor.consent.state": ("claim id @tenant", "what consent knows of a claim: wait, newest notice, tokens that count"),
    "cpor.consent.timers": ("claim, clock, start, rung", "durable timers of consent; answers until they are judged"),
    "cpor.notify.slots": (NONE, "nothing, ever: notify's group joins it"),
    "cpor.notify.state": ("claim id @tenant", "what notify remembers of a claim"),
    "cpor.notify.outbox": ("mail id @tenant", "mails on their way; tombstone when delivered, bounced or taken back"),
    "cpor.notify.timers": ("timer @tenant", "notify's timers"),
    "cpor.notify.parked": ("claim id @tenant", "claims that wait behind a dead letter"),
}
#: Topics that a service keeps for itself, by the last part of their name: key, and what they hold.
OWN_WORDS: Mapping[str, tuple[str, str]] = {
    "slots": (NONE, "nothing, ever: {service}'s group joins it"),
    "parked": ("what orders records", "keys that wait behind a dead letter"),
    "timers": ("claim, clock, start, rung", "durable timers of {service}"),
    "state": ("{service}'s own", "what {service} remembers"),
}
COUNTS: Mapping[Count, str] = {Count.CLAIMS: "N", Count.PARTNERS: "P", Count.ONE: "1"}


def topics() -> str:
    known = (*partner_topics("PARTNER"), *FIXED_TOPICS)
    return table(("topic", "key", "holds", "partitions", "kept"), map(_topic, known))


def _words(topic: str) -> tuple[str, str]:
    """Key, and what it holds. Raises KeyError for a topic that is neither in `WORDS` nor of a kind in `OWN_WORDS`."""
    if topic in WORDS:
        return WORDS[topic]
    _, service, kind = topic.split(".")
    key, holds = OWN_WORDS[kind]
    return key.format(service=service), holds.format(service=service)


def _topic(spec: TopicSpec) -> tuple[str, ...]:
    name = spec.name.replace("PARTNER", PARTNER)
    key, holds = _words(name)
    return code(name), key, f"{holds[0].lower()}{holds[1:]}", COUNTS[spec.count], _kept(spec)


def _kept(spec: TopicSpec) -> str:
    size = f", up to {spec.max_message_bytes // 2**20} MiB" if spec.max_message_bytes > 2**20 else ""
    if spec.compact:
        return f"newest per key{size}"
    return ("for ever" if spec.keep_days is None else f"{spec.keep_days} d") + size


def types() -> str:
    found = [spec for spec in MESSAGES.values() if not spec.name.startswith(ADMITTED)]
    return table(("`ce_type`", "topic", "schema"), map(_type, found))


def _type(spec: MessageSpec) -> tuple[str, ...]:
    topic = "" if not spec.topics else listed(map(code, spec.topics))
    if f"{ADMITTED}{spec.name}" in MESSAGES:
        topic += f"; admitted: {code('cpor.claims.commands')} ([schema](../schemas/json/{ADMITTED}{spec.name}.json))"
    return code(spec.name), topic, f"[{spec.name.removeprefix('cpor.')}](../schemas/json/{spec.name}.json)"
