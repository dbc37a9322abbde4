"""What the page knows of claims: a view of topics, of which no personal data is kept but a contact's language."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic_core import from_json

from cpor.domain import wire
from cpor.domain.model import ConsentStage
from cpor.domain.vocabulary import (
    ClaimId,
    Edition,
    InstantField,
    PartnerId,
    PartnerRole,
    SolutionArea,
    Status,
    TenantId,
    UnitId,
)
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from cpor.runtime.view import Shape, View
from schemas.base import read
from schemas.consent import AGREED, CHECKED, DECLINED, DISMISSED, HELD, IGNORED, RESPONSE
from schemas.envelope import read_envelope
from schemas.mail import DELIVERED, AboutMail, Recipient
from services.consent.case import Case

log = structlog.get_logger("cpor.consent.page")

#: Grows with every change of the tables or of what goes into them.
VERSION = 1
_VERDICTS = (DECLINED, AGREED, HELD, IGNORED, DISMISSED)
TABLES = (
    "CREATE TABLE claims (claim TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE cases (claim TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE answers (id TEXT PRIMARY KEY, claim TEXT, answer TEXT, received_at INTEGER) WITHOUT ROWID",
    "CREATE INDEX answers_of_claims ON answers (claim)",
    # What an operator found, by the answer it is about; what consent said, by the answer or finding it is about.
    "CREATE TABLE checks (id TEXT PRIMARY KEY, response TEXT) WITHOUT ROWID",
    "CREATE INDEX checks_of_answers ON checks (response)",
    "CREATE TABLE verdicts (cause TEXT PRIMARY KEY, verdict TEXT, reason TEXT) WITHOUT ROWID",
    """CREATE TABLE notices (request TEXT PRIMARY KEY, delivered_at INTEGER, mail_id TEXT, language TEXT, digest TEXT,
       notice TEXT) WITHOUT ROWID""",
    "CREATE TABLE names (kind TEXT, id TEXT, name TEXT NOT NULL, language TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID",
)


# -- a claim as the page shows it -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeenForm:
    tenant_id: TenantId
    solution_area: SolutionArea
    partner_role: PartnerRole
    workloads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenContact:
    language: str | None = None


@dataclass(frozen=True, slots=True)
class SeenPeople:
    customer_contact: SeenContact | None = None


@dataclass(frozen=True, slots=True)
class SeenOrigin:
    zone: str


@dataclass(frozen=True, slots=True)
class SeenConsent:
    stage: ConsentStage = ConsentStage.NONE
    due: InstantField | None = None
    agreed_at: InstantField | None = None
    declined_early: bool = False


@dataclass(frozen=True, slots=True)
class SeenApproval:
    at: InstantField
    completed_at: InstantField | None = None


@dataclass(frozen=True, slots=True)
class SeenClaim:
    """What of a claim's state the page needs."""

    claim_id: ClaimId
    partner_id: PartnerId
    policy: Edition
    status: Status
    form: SeenForm
    personal: SeenPeople
    origin: SeenOrigin
    consent: SeenConsent = SeenConsent()
    approval: SeenApproval | None = None
    units: tuple[UnitId, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeSent:
    """The mail that a link came with: when it was delivered, and which words it had."""

    delivered_at: int | None = None
    mail_id: str | None = None
    language: str | None = None
    digest: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerKnown:
    """An answer on the log; `verdict` is the type of consent's event about it, None until there is one."""

    id: str
    answer: str
    received_at: int
    verdict: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """One moment of a claim. `answers` in the order in which they came."""

    claim: SeenClaim
    case: Case
    partner: str
    customer_language: str | None
    notice: NoticeSent
    answers: tuple[AnswerKnown, ...]

    @property
    def contact_language(self) -> str | None:
        contact = self.claim.personal.customer_contact
        return None if contact is None else contact.language


class Knowledge:
    """Asks the view; `caught_up` first, else it may know less than was known when the link was made."""

    def __init__(self, view: View) -> None:
        self._view = view

    def caught_up(self, seconds: float) -> bool:
        return self._view.caught_up(seconds)

    def of(self, claim_id: str, request: str) -> Known | None:
        """None where the claim is not known."""
        with self._view.reading() as rows:
            found = rows.execute(
                "SELECT claims.value, cases.value FROM claims JOIN cases USING (claim) WHERE claim = ?", (claim_id,)
            ).fetchone()
            if found is None:
                return None
            claim: SeenClaim = wire.decode(SeenClaim, found[0])
            case: Case = wire.decode(Case, found[1])
            partner, _ = _name(rows, "partner", claim.partner_id) or (claim.partner_id, None)
            _, language = _name(rows, "customer", claim.form.tenant_id) or ("", None)
            return Known(claim, case, partner, language, _notice(rows, request), _answers(rows, claim_id))


def _name(rows: sqlite3.Connection, kind: str, name_id: str) -> tuple[str, str | None] | None:
    found: tuple[str, str | None] | None = rows.execute(
        "SELECT name, language FROM names WHERE kind = ? AND id = ?", (kind, name_id)
    ).fetchone()
    return found


def _notice(rows: sqlite3.Connection, request: str) -> NoticeSent:
    found = rows.execute(
        "SELECT delivered_at, mail_id, language, digest, notice FROM notices WHERE request = ?", (request,)
    ).fetchone()
    return NoticeSent(*found) if found else NoticeSent()


def _answers(rows: sqlite3.Connection, claim_id: str) -> tuple[AnswerKnown, ...]:
    """An operator's finding about an answer that was held has the last word on it."""
    found = rows.execute(
        """SELECT answers.id, answer, received_at, coalesce(later.verdict, own.verdict),
                  coalesce(later.reason, own.reason)
           FROM answers
           LEFT JOIN verdicts AS own ON own.cause = answers.id
           LEFT JOIN checks ON checks.response = answers.id
           LEFT JOIN verdicts AS later ON later.cause = checks.id AND later.verdict != :ignored
           WHERE answers.claim = :claim GROUP BY answers.id ORDER BY received_at, answers.id""",
        {"claim": claim_id, "ignored": IGNORED},
    )
    return tuple(AnswerKnown(*each) for each in found)


# -- taking records in ------------------------------------------------------------------------------------------------


def fold(rows: sqlite3.Connection, record: Record) -> None:
    """One record; what cannot be read lies among the dead letters, or belongs to a version that knows more."""
    try:
        TAKES[Topic(record.topic)](rows, record)
    except (ValueError, KeyError) as fault:
        log.warning("a record was passed over", record=record.origin, cause=type(fault).__name__)


def _claim(rows: sqlite3.Connection, record: Record) -> None:
    key = (record.key or b"").decode()
    if record.value is None:
        rows.execute("DELETE FROM claims WHERE claim = ?", (key,))
        return
    claim: SeenClaim = wire.decode(SeenClaim, record.value)
    rows.execute("INSERT OR REPLACE INTO claims VALUES (?, ?)", (claim.claim_id, wire.encode(claim)))


def _case(rows: sqlite3.Connection, record: Record) -> None:
    key = (record.key or b"").decode()
    if record.value is None:
        rows.execute("DELETE FROM cases WHERE claim = ?", (key,))
    else:
        rows.execute("INSERT OR REPLACE INTO cases VALUES (?, ?)", (key, record.value))


def _response(rows: sqlite3.Connection, record: Record) -> None:
    told, said = read_envelope(record.headers), _json(record)
    name = told.id or record.origin
    if told.type == RESPONSE:
        row = (name, said["claim_id"], said["answer"], record.appended_at)
        rows.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", row)
    elif told.type == CHECKED:
        rows.execute("INSERT OR IGNORE INTO checks VALUES (?, ?)", (name, said["response_id"]))


def _consent(rows: sqlite3.Connection, record: Record) -> None:
    """What became of an answer; a second finding about it changes nothing."""
    told = read_envelope(record.headers)
    if told.type in _VERDICTS and told.causation is not None:
        reason = _json(record).get("reason")
        rows.execute("INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?)", (told.causation, told.type, reason))


def _mail(rows: sqlite3.Connection, record: Record) -> None:
    """Which words a notice had: its evidence, for the mail itself is deleted after 90 days."""
    if b'"customer"' not in (record.value or b""):
        return
    told = _json(record)
    if told["recipient"] == Recipient.CUSTOMER:
        digest = hashlib.sha256(str(told["text"]).encode()).hexdigest()
        row = (told["cause"], told["mail_id"], told["language"], digest, told.get("notice"))
        rows.execute(
            """INSERT INTO notices (request, mail_id, language, digest, notice) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (request) DO UPDATE SET mail_id = excluded.mail_id, language = excluded.language,
               digest = excluded.digest, notice = excluded.notice""",
            row,
        )


def _delivery(rows: sqlite3.Connection, record: Record) -> None:
    """When a notice was first delivered."""
    if read_envelope(record.headers).type != DELIVERED:
        return
    about = read(AboutMail, record.value or b"")
    if about.recipient == Recipient.CUSTOMER:
        rows.execute(
            """INSERT INTO notices (request, delivered_at) VALUES (?, ?) ON CONFLICT (request)
               DO UPDATE SET delivered_at = coalesce(delivered_at, excluded.delivered_at)""",
            (about.cause, record.appended_at),
        )


def _named(kind: str) -> Callable[[sqlite3.Connection, Record], None]:
    def take(rows: sqlite3.Connection, record: Record) -> None:
        key = (record.key or b"").decode()
        if record.value is None:
            rows.execute("DELETE FROM names WHERE kind = ? AND id = ?", (kind, key))
        else:
            told = _json(record)
            row = (kind, key, str(told["name"]), told.get("language"))
            rows.execute("INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?)", row)

    return take


def _json(record: Record) -> Mapping[str, Any]:
    value = from_json(record.value or b"")
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


#: Topic → how a record of it is taken in; each raises ValueError or KeyError for one that it cannot read.
TAKES: Mapping[Topic, Callable[[sqlite3.Connection, Record], None]] = {
    Topic.CLAIM_STATE: _claim,
    Topic.CONSENT_STATE: _case,
    Topic.CONSENT_RESPONSES: _response,
    Topic.CONSENT_EVENTS: _consent,
    Topic.MAIL: _mail,
    Topic.DELIVERIES: _delivery,
    Topic.PARTNERS: _named("partner"),
    Topic.CUSTOMERS: _named("customer"),
}

SHAPE = Shape(VERSION, tuple(TAKES), TABLES, fold)
