"""A partner's directory entry as the gate asks it: users and locations by id (contract §8, D14, D22)."""

from __future__ import annotations

from dataclasses import dataclass

from cpor.domain.directory import read_partner
from cpor.domain.reference import Partner, User


@dataclass(frozen=True, slots=True)
class Entry:
    """A partner may have thousands of users, and one is looked up for every command."""

    partner: Partner
    users: dict[str, User]


def read_entry(value: bytes) -> Entry | None:
    """A value of `cpor.reference.partners`; None, as if there were no entry, where it cannot be read."""
    try:
        partner = read_partner(value)
    except ValueError:
        return None
    return Entry(partner, {user.user_id: user for user in partner.users})
