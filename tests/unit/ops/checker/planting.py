"""Faults planted into a good log: records dropped, doubled, moved, rewritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cpor.ops.checker import PipelineLog
from cpor.ops.checker.log import FAMILIES
from cpor.runtime.record import Record
from schemas.envelope import read_envelope

Choose = Callable[[Record], bool]


def value_of(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record.value or b"{}")
    return found


def of(ce_type: str | None = None, **fields: Any) -> Choose:
    """Records of this type whose value has these fields."""

    def choose(record: Record) -> bool:
        if ce_type is not None and read_envelope(record.headers).type != ce_type:
            return False
        value = value_of(record)
        return all(value.get(name) == wanted for name, wanted in fields.items())

    return choose


def key(text: str) -> Choose:
    return lambda record: record.key == text.encode()


def the_last(log: PipelineLog, family: str, choose: Choose) -> Record:
    found: list[Record] = [record for record in getattr(log, family) if choose(record)]
    assert found, f"nothing to plant a fault on in {family}"
    return found[-1]


def change(log: PipelineLog, family: str, choose: Choose, how: Callable[[Record], list[Record]]) -> PipelineLog:
    """The newest record that fits is replaced by what `how` makes of it."""
    chosen = the_last(log, family, choose)
    records: list[Record] = []
    for record in getattr(log, family):
        records.extend(how(record) if record is chosen else [record])
    return _with(log, family, records)


def drop(log: PipelineLog, family: str, choose: Choose) -> PipelineLog:
    return change(log, family, choose, lambda record: [])


def drop_all(log: PipelineLog, family: str, choose: Choose) -> PipelineLog:
    kept: list[Record] = [record for record in getattr(log, family) if not choose(record)]
    assert len(kept) < len(getattr(log, family))
    return _with(log, family, kept)


def _with(log: PipelineLog, family: str, records: list[Record]) -> PipelineLog:
    changes: dict[str, Any] = {family: tuple(records)}
    return replace(log, **changes)


def double(log: PipelineLog, family: str, choose: Choose) -> PipelineLog:
    return change(log, family, choose, lambda record: [record, later(log, record)])


def later(log: PipelineLog, record: Record) -> Record:
    """The record once more, at the end of its partition."""
    every = [each for name in FAMILIES for each in getattr(log, name)]
    end = max(each.offset for each in every if each.tp == record.tp)
    return record._replace(offset=end + 1)


def move(log: PipelineLog, family: str, choose: Choose, **where: Any) -> PipelineLog:
    """The same record under another key, partition or topic."""
    return change(log, family, choose, lambda record: [record._replace(**where)])


def rewrite(log: PipelineLog, family: str, choose: Choose, **fields: Any) -> PipelineLog:
    """The same record with other fields."""
    return change(log, family, choose, lambda record: [rewritten(record, **fields)])


def rewritten(record: Record, **fields: Any) -> Record:
    return record._replace(value=json.dumps({**value_of(record), **fields}).encode())


def retold(log: PipelineLog, family: str, choose: Choose, **told: str) -> PipelineLog:
    """The same record with other headers (underscores stand for themselves)."""
    return change(log, family, choose, lambda record: [with_headers(record, **told)])


def with_headers(record: Record, **told: str) -> Record:
    headers = tuple((name, told[name].encode() if name in told else value) for name, value in record.headers)
    return record._replace(headers=headers)
