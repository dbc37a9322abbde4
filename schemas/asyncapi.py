"""`asyncapi.yaml`: topics, who sends and who reads, and every message, as AsyncAPI 3.0 says them.

Made of the tables in `schemas.channels`, `schemas.registry` and `cpor.runtime.topics`, with the golden examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cpor.runtime.topics import FIXED_TOPICS, Count, TopicSpec, partner_topics
from schemas.channels import CHANNELS, GROUPS, PARTNER, SIDES, Channel, Side
from schemas.envelope import CAUSATION
from schemas.files import CORPUS, file_of
from schemas.registry import MESSAGES, MessageSpec
from schemas.upcast import UP_CASTERS

Json = dict[str, Any]

VERSION = "0.1.0"
_BINDING = "0.5.0"
#: Partitions in production and on one machine (contract §1).
PARTITIONS: Mapping[Count, tuple[int, int]] = {Count.CLAIMS: (48, 8), Count.PARTNERS: (24, 4), Count.ONE: (1, 1)}

ABOUT = """\
From a partner's claim to its approval, on Kafka. The value of each record is JSON; its headers are a CloudEvents 1.0
envelope in binary mode. Written strictly, read tolerantly: fields that are not known are ignored, and a field is only
ever added. Numbers of partitions are those of production; on one machine there are 8, 4 and 1 for 48, 24 and 1.
"""

_ID = "^[A-Za-z0-9._:-]{1,64}$"
#: Name of a header → its schema (contract §2).
_HEADERS: Mapping[str, Json] = {
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {"type": "string", "description": "Unique for its source."},
    "ce_source": {"type": "string", "description": "Who wrote it."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When it happened, by our clock."},
    "ce_subject": {"type": "string", "format": "uuid", "description": "The claim's id."},
    "ce_causationid": {"type": "string", "description": "Id of the message that caused this one."},
    "ce_correlationid": {"type": "string", "description": "Id of the person's or partner's first message."},
    "ce_sequence": {"type": "string", "pattern": "^[0-9]+$", "description": "On claim events: 1, 2, 3 … per claim."},
    "content-type": {"type": "string", "const": "application/json"},
    "traceparent": {"type": "string", "description": "W3C trace context, passed on."},
    "cpor_origin": {"type": "string", "description": "Topic-partition-offset of the message behind a command."},
    "cpor_received_at": {"type": "string", "format": "date-time", "description": "When the broker took that message."},
}
_OF_PARTNERS: Json = {
    "type": "object",
    "properties": {
        "ce_id": {"type": "string", "pattern": _ID, "description": "The partner's own id of the message."},
        "ce_type": {"type": "string"},
        "ce_specversion": {"type": "string", "const": "1.0"},
        "traceparent": _HEADERS["traceparent"],
    },
    "required": ["ce_id", "ce_type"],
}
_OF_OURS: Json = {
    "type": "object",
    "properties": {"ce_type": {"type": "string"}, **_HEADERS},
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
}


def document() -> Json:
    """The whole description, as JSON values."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Claiming partner of record", "version": VERSION, "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {each.name: _channel(each) for each in CHANNELS},
        "operations": dict(_operations()),
        "components": {
            "messages": {component(spec): _message(spec) for spec in MESSAGES.values()},
            "schemas": {"partnerHeaders": _OF_PARTNERS, "headers": _OF_OURS},
            "correlationIds": {
                "answered": {
                    "description": "The `ce_id` of the message that a receipt answers.",
                    "location": f"$message.header#/{CAUSATION}",
                }
            },
        },
    }


def _server() -> Json:
    hosts = {"description": "Brokers to begin with.", "default": "localhost:9092"}
    return {"host": "{bootstrap}", "protocol": "kafka", "variables": {"bootstrap": hosts}}


def component(spec: MessageSpec) -> str:
    """A message's name in the document: it may hold no stroke."""
    return spec.name.replace("/", ".")


# --- channels --------------------------------------------------------------------------------------------------------


def topic_of(channel: Channel) -> TopicSpec:
    """The topic's settings; of a partner's topic those of any partner."""
    known = {each.name: each for each in (*partner_topics("PARTNER"), *FIXED_TOPICS)}
    return known[channel.topic.replace(PARTNER, "PARTNER")]


def _channel(channel: Channel) -> Json:
    made: Json = {"address": channel.topic.replace(PARTNER, "{partner}"), "description": _held(channel)}
    if PARTNER in channel.topic:
        made["parameters"] = {"partner": {"description": "The partner's id: 1 to 40 of A-Z a-z 0-9 -."}}
    made["messages"] = {component(each): _ref("components", "messages", component(each)) for each in channel.messages}
    return {**made, "bindings": {"kafka": _topic(topic_of(channel))}}


def _held(channel: Channel) -> str:
    placed = ", in the partition of its tenant" if channel.placed else ""
    return f"{channel.holds} Key: {channel.key}{placed}."


def _topic(spec: TopicSpec) -> Json:
    told = spec.settings()
    numbers = ("retention.ms", "delete.retention.ms", "max.message.bytes")
    settings: Json = {"cleanup.policy": [told["cleanup.policy"]]}
    settings |= {name: int(told[name]) for name in numbers if name in told}
    settings |= {"message.timestamp.type": told["message.timestamp.type"]}
    return {
        "partitions": PARTITIONS[spec.count][0],
        "topicConfiguration": settings,
        "bindingVersion": _BINDING,
    }


# --- operations ------------------------------------------------------------------------------------------------------


def _operations() -> Iterator[tuple[str, Json]]:
    for channel in CHANNELS:
        for side in channel.senders:
            yield f"{side}.send.{channel.name}", _operation("send", side, channel, channel.sent_by(side))
        for side in channel.readers:
            yield f"{side}.receive.{channel.name}", _operation("receive", side, channel, channel.messages)


def _operation(action: str, side: Side, channel: Channel, messages: tuple[MessageSpec, ...]) -> Json:
    made: Json = {
        "action": action,
        "channel": _ref("channels", channel.name),
        "summary": f"{side.capitalize()} {'sends' if action == 'send' else 'reads'}: {channel.holds}",
        "tags": [{"name": side, "description": SIDES[side]}],
        "messages": [_ref("channels", channel.name, "messages", component(each)) for each in messages],
    }
    group = _group(side) if action == "receive" else None
    return made if group is None else {**made, "bindings": {"kafka": {"groupId": group, "bindingVersion": _BINDING}}}


def _group(side: Side) -> Json | None:
    if side == Side.PARTNER:
        return {"type": "string", "pattern": r"^cpor\.partners\.[A-Za-z0-9-]{1,40}\."}
    return {"type": "string", "const": GROUPS[side]} if side in GROUPS else None


# --- messages --------------------------------------------------------------------------------------------------------


def _message(spec: MessageSpec) -> Json:
    shown = json.loads(file_of(CORPUS, spec.name).read_text("utf-8"))
    headers = "partnerHeaders" if spec.family == "partner_commands" else "headers"
    made: Json = {
        "name": spec.name,
        "summary": spec.description,
        "contentType": "application/json",
        "headers": {"allOf": [_ref("components", "schemas", headers), _typed(spec)]},
        "payload": {"$ref": f"./json/{spec.name}.json"},
    }
    if spec.family == "receipts":
        made["correlationId"] = _ref("components", "correlationIds", "answered")
    if spec.name in UP_CASTERS:
        made["deprecated"] = True
    example = {"headers": shown["headers"], "payload": shown["value"]}
    return {**made, "bindings": {"kafka": _key(spec, shown["key"])}, "examples": [example]}


def _typed(spec: MessageSpec) -> Json:
    """A dead letter keeps the type of what it was."""
    return {} if spec.family == "dead_letters" else {"properties": {"ce_type": {"const": spec.ce_type}}}


def _key(spec: MessageSpec, shown: str) -> Json:
    said = next(each.key for each in CHANNELS if each.topic in spec.topics)
    return {
        "key": {"type": "string", "description": f"The {said}.", "examples": [shown]},
        "bindingVersion": _BINDING,
    }


def _ref(*path: str) -> Json:
    return {"$ref": "#/" + "/".join(path)}
