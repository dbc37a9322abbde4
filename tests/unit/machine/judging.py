"""What must hold of a world at rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cpor.domain.calendar import local_date
from cpor.domain.directory import read_subscription
from cpor.domain.facts import over_since
from cpor.domain.ids import receipt_id
from cpor.ops.checker import balances
from cpor.runtime.topics import Topic, commands_topic
from tests.chaos.outcome import assert_sound
from tests.unit.machine import replay
from tests.unit.machine.stage import Stage
from tests.unit.machine.watch import HELD
from tests.unit.ops.checker.whole import PARTNERS


def judged(stage: Stage, settled: bool) -> None:
    """`settled`: everybody worked after each step, so that the same words must give the same again."""
    world = stage.world
    log = world.log()
    sent = [each for partner in PARTNERS for each in _receipt_ids(stage, partner)]
    assert_sound(log, sent, [HELD])
    _nothing("books that do not balance", [row for row in balances(log).rows() if not row.holds])
    _nothing("I14: what is over and is held still", list(_over(stage)))
    _nothing("I6: stores unlike their topics", replay.unlike_their_topics(world))
    if settled:
        _nothing("I7: the same words again say something else", replay.differences(world, replay.twin(world)))
    if not stage.changed:
        for service in replay.READ:
            _nothing("I7: topics read again say something else", replay.replayed(world, service))


def _nothing(says: str, found: list[Any]) -> None:
    assert not found, f"{says}: " + "\n".join(map(str, found[:5]))


def _over(stage: Stage) -> Iterator[str]:
    """T19: claims whose subscription or import is over, by what the topics say now."""
    records = {each.key: each.value for each in stage.world.broker.records(Topic.SUBSCRIPTIONS)}
    known = {key: read_subscription(value) for key, value in records.items() if value is not None}
    for state in stage.watch.states.values():
        today = local_date(stage.now(), state.origin.zone)
        named = state.form.subscription_id
        if state.units and named is not None and over_since(state.origin.ends_on, known.get(named.encode()), today):
            yield f"{state.claim_id} holds {named}"


def _receipt_ids(stage: Stage, partner: str) -> list[str]:
    said = stage.world.broker.records(commands_topic(partner))
    return [receipt_id(each.topic, each.partition, each.offset) for each in said]
