"""What an operator writes to consent, on the stage, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable

from cpor.ops.answers import Became, Listener
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from tests.unit.consent.stage import Stage
from tests.unit.review.pipeline import of

MESSAGE = "11111111-1111-4111-8111-111111111111"


def became_of(stage: Stage, outputs: Iterable[Output], message_id: str) -> Became:
    """As the command writes them; what it hears."""
    for output in outputs:
        stage.broker.append(output)
    stage.run()
    listener = Listener(message_id, of("c"))
    for topic in (Topic.CONSENT_EVENTS, Topic.CLAIM_EVENTS):
        for record in stage.broker.records(topic):
            listener(record)
    return listener.became
