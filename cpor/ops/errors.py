"""How a command ends when it does not end well (contract §7): one clear sentence, and an exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_REACHABLE = 3


class CommandError(Exception):
    """Base; the message is the sentence that the person at the terminal reads on stderr."""

    exit_code: Exit = Exit.REFUSED


class Refused(CommandError):
    """The rules, or the data that was given, say no. `code` comes from contract §4 or §9 where there is one."""

    def __init__(self, message: str, code: str | None = None) -> None:
        self.code = code
        super().__init__(f"{code}: {message}" if code else message)


class WrongUse(CommandError):
    """The command was not given what it needs."""

    exit_code = Exit.USAGE


class NotReachable(CommandError):
    """Nothing answers where the instance should be; the message says how to get one."""

    exit_code = Exit.NOT_REACHABLE
