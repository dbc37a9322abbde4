"""What the parts of the kafka-python adapter share: faults translated, calls bounded."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from kafka import errors as client_errors

from cpor.runtime.errors import Fenced, GenerationLost, ProducerFenced, TransactionFailed
from cpor.runtime.record import Output

#: Another process has joined the group under this slot's name: give way.
FENCED = (client_errors.FencedInstanceIdError,)
#: The producer's epoch is over.
EPOCH = (
    client_errors.ProducerFencedError,
    client_errors.InvalidProducerEpochError,
)
#: The group moved on without this member.
GENERATION = (
    client_errors.CommitFailedError,
    client_errors.IllegalGenerationError,
    client_errors.UnknownMemberIdError,
    client_errors.RebalanceInProgressError,
)


def chain(fault: BaseException | None) -> Iterator[BaseException]:
    """The fault and what it names as its cause; the client often wraps the telling error in a general one."""
    seen = 0
    while fault is not None and seen < 8:
        yield fault
        inner = fault.args[0] if fault.args and isinstance(fault.args[0], BaseException) else None
        fault = inner or fault.__cause__ or fault.__context__
        seen += 1


def translate(fault: BaseException, transactional_id: str) -> Exception:
    causes = list(chain(fault))
    told = f"{type(fault).__name__}: {fault}"[:500]
    if any(isinstance(cause, FENCED) for cause in causes):
        return Fenced(transactional_id=transactional_id, cause=told)
    if any(isinstance(cause, GENERATION) for cause in causes):
        return GenerationLost(transactional_id=transactional_id, cause=told)
    if any(isinstance(cause, EPOCH) for cause in causes):
        return ProducerFenced(transactional_id=transactional_id, cause=told)
    return TransactionFailed(transactional_id=transactional_id, cause=told)


def too_large(output: Output, limit: int) -> str | None:
    """Why the broker would refuse the record, None where it would not.

    It must not even be sent: after the refusal of a record that others follow the client's commit never returns (P2).
    """
    _, _, key, value, headers = output
    size = len(value or b"") + len(key or b"") + sum([len(header) for _, header in headers])
    if size <= limit:
        return None
    return f"a record of {size} bytes is too large for {output.topic}-{output.partition}, key {(key or b'')[:80]!r}"


def bounded(call: Callable[[], object], seconds: float) -> None:
    """Make a call that may hang or fail, and go on after `seconds` whatever became of it."""

    def attempt() -> None:
        with contextlib.suppress(Exception):
            call()

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
