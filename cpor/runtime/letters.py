"""Dead letters: poison records go to `cpor.dead-letters` in the transaction that passes them, with their reason.

Behind a dead-lettered record the later ones of its key are parked, in order, until an operator replays them. A limit
stops the worker instead of draining a topic into dead letters after a bad deploy.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass

from cpor.domain.ids import name_id
from cpor.runtime.assignment import PARKED_TABLE
from cpor.runtime.errors import Reject, Stop
from cpor.runtime.processor import Processor
from cpor.runtime.record import Record
from cpor.runtime.task import Task
from cpor.runtime.topics import Topic

PARKED_BEHIND = "parked_behind"
_TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class LetterLimit:
    """When dead letters are no longer single bad records but a bad deploy."""

    in_a_row: int = 50
    window: int = 1000
    ratio: float = 0.5


class Letters:
    """Writes dead letters and keeps count of them. Letters of a round that failed do not count: see `forget_round`."""

    def __init__(self, processor: Processor, limit: LetterLimit) -> None:
        self._processor = processor
        self._limit = limit
        self._seen: deque[bool] = deque(maxlen=limit.window)
        self._round: list[bool] = []

    def is_parked(self, task: Task, record: Record) -> str | None:
        """The letter this record must wait behind, None where its key is free."""
        if self._processor.parked_topic is None or task.is_free_of(PARKED_TABLE):
            return None
        key = self._processor.order_key(record)
        found = None if key is None else task.get(PARKED_TABLE, key)
        return None if found is None else str(json.loads(found)["letter"])

    def passed(self) -> None:
        """A record went through."""
        self._round.append(False)

    def park_behind(self, task: Task, record: Record, letter: str) -> None:
        self._write(task, record, PARKED_BEHIND, f"an earlier record of this key is dead letter {letter}", letter)

    def dead_letter(self, task: Task, record: Record, reject: Reject) -> None:
        """Write the letter, park the key, tell the processor. Raises Stop at the limit."""
        letter = letter_id(self._processor.service, record)
        self._write(task, record, reject.reason, str(reject), None)
        key = self._processor.order_key(record) if self._processor.parked_topic is not None else None
        if key is not None:
            task.put(PARKED_TABLE, key, json.dumps({"letter": letter, "origin": record.origin}).encode())
        self._processor.on_dead_letter(task, record, reject.reason, letter)
        self._round.append(True)
        self._check_limit(record, reject)

    def _write(self, task: Task, record: Record, reason: str, detail: str, behind: str | None) -> None:
        headers = letter_headers(self._processor.service, record, reason, detail, behind)
        task.emit(Topic.DEAD_LETTERS, 0, record.key, record.value, headers)

    def _check_limit(self, record: Record, reject: Reject) -> None:
        seen = [*self._seen, *self._round]
        row = next((n for n, bad in enumerate(reversed(seen)) if not bad), len(seen))
        recent = seen[-self._limit.window :]
        too_many = len(recent) == self._limit.window and sum(recent) > self._limit.ratio * self._limit.window
        if row >= self._limit.in_a_row or too_many:
            raise Stop(
                "too many dead letters: this looks like a fault of ours, not of single records",
                in_a_row=row,
                last=record.origin,
                reason=reject.reason,
            )

    def keep_round(self) -> int:
        """The round committed: its records count. Returns how many of them were dead-lettered."""
        self._seen.extend(self._round)
        letters = sum(self._round)
        self._round.clear()
        return letters

    def forget_round(self) -> None:
        self._round.clear()


def letter_id(service: str, record: Record) -> str:
    """The id of the letter a service writes for a record: the same again after a crash."""
    return name_id(f"{service}/{record.origin}/dead-letter")


def letter_headers(
    service: str, record: Record, reason: str, detail: str, behind: str | None = None
) -> list[tuple[str, bytes]]:
    """The record's own headers, and why it lies among the dead letters; `behind`: the earlier letter it waits for."""
    told = {
        "dlq_id": letter_id(service, record),
        "dlq_service": service,
        "dlq_reason": reason,
        "dlq_detail": detail[:_TEXT_LIMIT],
        "dlq_topic": record.topic,
        "dlq_partition": str(record.partition),
        "dlq_offset": str(record.offset),
        "dlq_received_at": str(record.appended_at),
    } | ({} if behind is None else {"dlq_behind": behind})
    return [*record.headers, *((name, text.encode()) for name, text in told.items())]
