"""The deadline of a mail as a calendar file (RFC 5545), for what its recipient can do until then.

An hour that ends with the deadline: programs show it at the right time wherever their owner is, which an entry for
a whole day, having no zone, would not be. A later mail about the same clock moves the entry instead of adding one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from icalendar import Alarm, Calendar, Event

from cpor.domain.calendar import local_moment
from cpor.domain.vocabulary import Clock, Instant
from cpor.words import Speech
from schemas.mail import MailKind
from services.notify.dates import Deadline
from services.notify.drafts import Draft, Told
from services.notify.foreign import Foreign
from services.notify.rendering import marks

LENGTH = timedelta(hours=1)
NOTICE = timedelta(days=-1)
MINUTE_MS = 60_000


class Until(NamedTuple):
    """What can be done until when."""

    clock: Clock
    deadline: Deadline


def calendar_file(told: Told, draft: Draft, speech: Speech) -> str | None:
    """None where a mail has no deadline of its recipient's own. The same for the same mail, whenever it is made."""
    find = _UNTIL.get(draft.kind)
    until = find(draft.facts) if find else None
    return None if until is None else _calendar(told, draft, speech, until).to_ical().decode()


def _answer(facts: Mapping[str, Any]) -> Until | None:
    return _found(Clock.PARTNER_ANSWER, facts["deadline"])


def _dispute(facts: Mapping[str, Any]) -> Until | None:
    return _found(Clock.DISPUTE_WINDOW, facts["deadline"])


def _reminded(facts: Mapping[str, Any]) -> Until | None:
    return _found(Clock(facts["clock"]), facts["deadline"])


def _decline(facts: Mapping[str, Any]) -> Until | None:
    """P2020 only: who may decline at any time has no last day (R45, R46)."""
    return _found(Clock.CONSENT_WAIT, facts["wait"]) if facts["decline_days"] else None


def _found(clock: Clock, deadline: Deadline | None) -> Until | None:
    return None if deadline is None else Until(clock, deadline)


#: D28: mails that tell their recipient until when it can do something.
_UNTIL: Mapping[MailKind, Callable[[Mapping[str, Any]], Until | None]] = {
    MailKind.INFORMATION_REQUESTED: _answer,
    MailKind.COMMENTED: _answer,
    MailKind.REJECTED: _dispute,
    MailKind.DEADLINE_NEAR: _reminded,
    MailKind.CUSTOMER_APPROVED: _decline,
}


def _calendar(told: Told, draft: Draft, speech: Speech, until: Until) -> Calendar:
    made = Calendar()
    made.add("prodid", "-//CPOR//Claims//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add_component(_event(told, draft, speech, until))
    return made


def _event(told: Told, draft: Draft, speech: Speech, until: Until) -> Event:
    summary, ends = _summary(told, speech, until.clock), _moment(until.deadline.due)
    made = Event()
    made.add("uid", f"{told.row.claim_id}-{until.clock.value}@cpor")
    made.add("sequence", draft.at // MINUTE_MS)
    made.add("dtstamp", _moment(draft.at))
    made.add("dtstart", ends - LENGTH)
    made.add("dtend", ends)
    made.add("summary", summary)
    made.add("description", _description(told, speech, until.deadline))
    made.add("transp", "TRANSPARENT")
    made.add_component(_alarm(summary))
    return made


def _alarm(summary: str) -> Alarm:
    made = Alarm()
    made.add("action", "DISPLAY")
    made.add("description", summary)
    made.add("trigger", NOTICE)
    return made


def _summary(told: Told, speech: Speech, clock: Clock) -> str:
    if clock == Clock.PARTNER_ANSWER:
        return speech.say(
            "mail", "Last day to answer the reviewer's request: claim %(claim)s", claim=Foreign(told.row.claim_ref)
        )
    if clock == Clock.DISPUTE_WINDOW:
        return speech.say(
            "mail", "Last day to dispute the rejection: claim %(claim)s", claim=Foreign(told.row.claim_ref)
        )
    return speech.say("mail", "Last day to decline the request of %(partner)s", partner=Foreign(told.partner_name))


def _description(told: Told, speech: Speech, due: Deadline) -> str:
    """Nothing that only the mail's recipient may have, for calendars are shown to others: not the link."""
    ends = speech.say(
        "mail", "The whole day counts, in the time zone %(zone)s; it ends at %(until)s.",
        zone=due.zone, until=speech.exact(due.until),
    )  # fmt: skip
    about = (
        (speech.say("mail", "Claim"), Foreign(told.row.form.claim_name)),
        (speech.say("mail", "Reference"), Foreign(told.row.claim_ref)),
        (speech.say("mail", "Customer"), Foreign(told.customer_name)),
    )
    colon = marks(speech.language)["colon"]
    return "\n".join([ends, *(f"{name}{colon}{value}" for name, value in about)])


def _moment(at: Instant) -> datetime:
    return local_moment(at, "UTC")
