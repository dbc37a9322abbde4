"""The three kinds of failure a worker knows, and how a process ends.

`Retry`: passing (S3, broker); the record's partition waits and is read again.
`Reject`: never valid; the record goes to the dead letters in the same transaction.
`Stop`: our bug or an unknown fault; the process ends at once and says why.
Every exception that is none of the three is treated as `Stop`.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a worker process ends; the supervisor obeys these."""

    DONE = 0
    STOPPED = 70
    STALLED = 71
    FENCED = 72


class RuntimeFault(Exception):
    """Base of the kernel's own exceptions; `ids` name what was being worked on."""

    def __init__(self, message: str = "", **ids: object) -> None:
        self.ids = ids
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.ids.items())
        return f"{self.args[0]} ({told})" if told else str(self.args[0])


class Retry(RuntimeFault):
    """A passing fault: the same record is tried again after a pause."""


class Reject(RuntimeFault):
    """The record can never be processed: it is dead-lettered with its reason."""

    def __init__(self, reason: str, message: str = "", **ids: object) -> None:
        self.reason = reason
        super().__init__(message or reason, **ids)


class Stop(RuntimeFault):
    """The worker met what it does not understand and stops."""

    exit_code: ExitCode = ExitCode.STOPPED


class Fenced(Stop):
    """Another process holds this slot (same service, same slot name): this one gives way."""

    exit_code = ExitCode.FENCED


class LostState(Stop):
    """Committed offsets are missing beside a non-empty state: the group was reset or expired."""


class Misconfigured(Stop):
    """The broker, the topics or the client are not set up as this worker needs them."""


class TransactionFailed(RuntimeFault):
    """The transaction did not commit: the round is dropped and read again."""


class ProducerFenced(TransactionFailed):
    """The producer's epoch is over: its transaction took too long, or another process has the slot.

    The group's membership tells which, and raises `Fenced` for the latter.
    """


class GenerationLost(TransactionFailed):
    """The group moved on without this member: its round is dropped, its partitions are given up."""
