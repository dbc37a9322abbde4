"""An identified message of the right shape, with what is known beside it: what the checks of the gate look at."""

from __future__ import annotations

from cpor.domain.reference import User
from cpor.domain.vocabulary import CommandName
from schemas.partner_commands import PartnerCommand
from services.intake.directory import Entry
from services.intake.documents import Gathered
from services.intake.message import Message
from services.intake.poe.limits import Limits
from services.intake.references import Reference

#: A look-up costs a tenth of the enum's own.
_COMMANDS: dict[str, CommandName] = {each.value: each for each in CommandName}


class Case:
    """`entry` is None for a partner without one, `user` for one the directory does not have."""

    __slots__ = ("body", "entry", "gathered", "limits", "message", "row", "user")

    def __init__(
        self,
        message: Message,
        body: PartnerCommand,
        row: Reference,
        entry: Entry | None,
        gathered: Gathered | None,
        limits: Limits,
    ) -> None:
        self.message = message
        self.body = body
        self.row = row
        self.entry = entry
        self.gathered = gathered
        self.limits = limits
        #: Who acts: the message names the user, everything else comes from the directory (D14).
        self.user: User | None = None if entry is None else entry.users.get(body.user)

    @property
    def command(self) -> CommandName:
        return _COMMANDS[self.message.type or ""]

    @property
    def known_entry(self) -> Entry:
        """The entry, once `partner_unknown` is ruled out."""
        assert self.entry is not None, "checks of the partner come first"
        return self.entry
