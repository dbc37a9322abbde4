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


class Case:
    """`entry` is None for a partner without one; the checks that come later may rely on those before."""

    __slots__ = ("body", "entry", "gathered", "limits", "message", "row")

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

    @property
    def command(self) -> CommandName:
        return CommandName(self.message.type or "")

    @property
    def known_entry(self) -> Entry:
        """The entry, once `partner_unknown` is ruled out."""
        assert self.entry is not None, "checks of the partner come first"
        return self.entry

    @property
    def user(self) -> User | None:
        """The user who acts; the name comes from the message, everything else from the directory."""
        return self.known_entry.users.get(self.body.user)
