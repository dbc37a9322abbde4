"""Notices to customers that came back, at once or days after a server took them (D20).

However often that is told of, it counts once. A notice of an approval suspends the wait, which consent sees to. Where
it comes back when silence has been taken for consent, an operator hears of it, whichever of the two notify reads first.
"""

from __future__ import annotations

from dataclasses import replace

from schemas import consent
from schemas.mail import Bounced
from services.notify.claim import ClaimRow


def asked(row: ClaimRow, request: consent.Requested, name: str) -> ClaimRow:
    """The row with the newest notice of an approval; `name` is the id of consent's event."""
    if request.approval is None:
        return row
    return replace(row, notices=tuple((dict(row.notices) | {request.approval: name}).items()))


def came_back(row: ClaimRow, bounced: Bounced) -> ClaimRow | None:
    """The row after news that a notice came back; None where it is no news, or of a mail that nobody sends any more."""
    superseded = dict(row.superseded)
    if bounced.notice is None or bounced.cause in row.bounced or bounced.mail_id in superseded:
        return None
    return replace(row, bounced=(*row.bounced, bounced.cause))


def passed_unheard(row: ClaimRow, approval: int | None) -> int | None:
    """The sequence of the event by which silence was taken for consent to an approval whose newest notice came back;
    None where that is not so.
    """
    if approval is None or dict(row.notices).get(approval) not in row.bounced:
        return None
    return dict(row.passed).get(approval)
