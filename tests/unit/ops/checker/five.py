"""All services in memory, customers who answer and a server that takes mails, refuses them or puts them off."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from cpor.domain import ids
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import CommandName, Instant, PartnerId
from cpor.domain.wire import decode_state
from cpor.ops.checker import Arrival, PipelineLog, read_log
from cpor.runtime.topics import Topic
from cpor.runtime.worker import Limits
from schemas import consent
from schemas.base import read
from schemas.envelope import headers, read_envelope
from schemas.mail import ATTEMPT, Mail
from services.consent.tokens import Tokens
from services.consent.worker import Consent
from services.deadlines.worker import Deadlines
from services.notify.delivery import told
from services.notify.drafts import Settings
from services.notify.smtp import Outcome, Result
from services.notify.worker import Notify
from tests.unit.ops.checker.whole import PARTNERS, N, Whole
from tests.unit.review.pipeline import MONDAY, SALES, TENANT, sales_form, usage_form

GRACE = 60_000
EAGER = Limits(poll_ms=0, idle_seconds=0, gate_seconds=0, pause_seconds=0)
OPERATIONS = "operations@cpor.example"
REFUSED, PUT_OFF = "nobody@contoso.example", "busy@contoso.example"
RUNS_OUT, GOES_ON = "8c9e6679-7425-40de-944b-e07fc1f90ae7", "9c9e6679-7425-40de-944b-e07fc1f90ae7"
CONTACT = {"name": "Kana Ito", "title": "CIO", "email": "kana@contoso.example", "language": "ja"}


class Five(Whole):
    """One process each; `days` lets them work every day."""

    def __init__(self, start: int = MONDAY) -> None:
        super().__init__(start)
        # Notify before consent: it then knows the claim events that consent speaks of, and holds nothing back.
        self.hire(Notify(Settings(N, "https://consent.example/answer", OPERATIONS)), EAGER)
        self.hire(Consent(N, GRACE, Tokens("a key that is long enough to be no guess")), EAGER)
        self.hire(Deadlines(N, GRACE), EAGER)
        self.sink: list[Arrival] = []
        self._taken: Counter[str] = Counter()

    def _rounds(self) -> list[int]:
        return [*super()._rounds(), self._post(Topic.MAIL), self._post(Topic.NOTIFY_RESEND)]

    def days(self, number: float) -> None:
        for part in (1.0,) * int(number) + (number % 1,):
            super().days(part)
            self.run()

    def log(self) -> PipelineLog:
        found = read_log(self.broker.records, PARTNERS, N, operations=OPERATIONS)
        return replace(found, sink=tuple(self.sink))

    # -- mails ---------------------------------------------------------------------------------------------------------

    def _post(self, topic: Topic) -> int:
        """What delivery does, without a network; the number of mails it took."""
        fresh = self.broker.records(topic)[self._taken[topic] :]
        for record in fresh:
            mail, attempt = read(Mail, record.value or b""), int(record.header(ATTEMPT) or "1")
            outcome = self._handed_over(mail, attempt)
            self.broker.append(told(record, mail, attempt, outcome, Instant(self.clock.now())))
        self._taken[topic] += len(fresh)
        return len(fresh)

    def _handed_over(self, mail: Mail, attempt: int) -> Outcome:
        if mail.to == REFUSED:
            return Outcome(Result.BOUNCED, "550 no such user")
        if mail.to == PUT_OFF and attempt == 1:
            return Outcome(Result.DEFERRED, "450 later")
        self.sink.append(Arrival(mail.mail_id, mail.to))
        return Outcome(Result.DELIVERED, "")

    # -- customers -----------------------------------------------------------------------------------------------------

    def answer(
        self, ref: str, answer: str = "decline", *, by: str = "P-1", operator: str | None = None, doubts: str = ""
    ) -> None:
        """By page with the newest link; by phone where an operator took it (`""`: nobody put a name to it)."""
        claim = ids.claim_id(PartnerId(by), ref)
        how: dict[str, Any] = {"channel": "page", "token_id": self._newest_link(claim)}
        how |= {"doubts": [doubts]} if doubts else {}
        if operator is not None:
            how = {"channel": "phone"} | ({"operator": operator} if operator else {})
        self._respond(consent.RESPONSE, {"claim_id": claim, "answer": answer, **how})

    def checks(self, ref: str, finding: str, *, by: str = "P-1") -> None:
        """An operator looked at the claim's newest answer, be it held or not."""
        claim = ids.claim_id(PartnerId(by), ref)
        about = [read_envelope(each.headers) for each in self.broker.records(Topic.CONSENT_RESPONSES)]
        answers = [each.id for each in about if (each.type, each.subject) == (consent.RESPONSE, claim)]
        if answers:
            said = {"claim_id": claim, "response_id": answers[-1], "finding": finding, "operator": "o-1"}
            self._respond(consent.CHECKED, said)

    def _respond(self, ce_type: str, said: dict[str, Any]) -> None:
        self.sent += 1
        told = headers(ce_type, ids.name_id(f"answer/{self.sent}"), "/customers/x", self._now(), said["claim_id"])
        self.append(Topic.CONSENT_RESPONSES, ids.tenant_partition(TENANT, N), TENANT, said, told)
        self.run()

    def _now(self) -> Instant:
        return Instant(self.clock.now())

    def _newest_link(self, claim: str) -> str | None:
        asked = [read_envelope(each.headers) for each in self.broker.records(Topic.CONSENT_EVENTS)]
        links = [each.id for each in asked if (each.type, each.subject) == (consent.REQUESTED, claim)]
        return links[-1] if links else None

    def claim(self, ref: str, by: str = "P-1") -> ClaimState:
        key = ids.claim_id(PartnerId(by), ref).encode()
        rows = [each.value for each in self.broker.records(Topic.CLAIM_STATE) if each.key == key]
        return decode_state(rows[-1] or b"")

    # -- subscriptions -------------------------------------------------------------------------------------------------

    def sells(self, subscription: str, **changes: Any) -> None:
        entry = {**SALES, "subscription_id": subscription, **changes}
        self.append(Topic.SUBSCRIPTIONS, ids.tenant_partition(TENANT, N), subscription, entry)
        self.run()

    # -- longer steps --------------------------------------------------------------------------------------------------

    def asked(self, ref: str, form: dict[str, Any]) -> None:
        self.file(ref, form)
        self.review(ref, CommandName.REVIEW_START)
        reasons = [{"code": "missing_products"}]
        self.review(ref, CommandName.REVIEW_REQUEST_INFORMATION, reasons=reasons, comment="Which products?")


def lives() -> Five:
    """Every way an approval can go, every clock, every mail, and every thing that can happen to one."""
    five = Five()
    _subscriptions(five)
    _silent_customers(five)
    _customers_who_answer(five)
    _the_dialogue(five)
    _rivals(five)
    five.days(50)
    _at_the_end(five)
    return five


def _to(email: str) -> dict[str, Any]:
    return {"customer_contact": {**CONTACT, "email": email}}


def _subscriptions(five: Five) -> None:
    """An imported association with a known end is replaced by a claim whose subscription an operator ends during the
    wait; another ends by itself, and one goes on.
    """
    five.import_legacy(ends_on="2024-03-31")
    five.days(2)
    five.file("ends", sales_form())
    five.approve("ends")
    five.operate("ends", CommandName.OPS_END_SUBSCRIPTION, ends_on="2024-03-10")
    five.sells(RUNS_OUT, ends_on="2024-03-31")
    five.file("runs_out", sales_form(subscription_id=RUNS_OUT), digest="7")
    five.approve("runs_out")
    five.sells(GOES_ON)
    five.file("goes_on", sales_form(subscription_id=GOES_ON), digest="8")
    five.approve("goes_on")


def _silent_customers(five: Five) -> None:
    """One hears at once, one when the server has time, one when its address is corrected."""
    five.file("silent", usage_form("exchange"))
    five.approve("silent")
    five.file("busy", usage_form("sharepoint", **_to(PUT_OFF)), digest="b")
    five.approve("busy")
    five.file("unknown", usage_form("yammer", **_to(REFUSED)), digest="c")
    five.approve("unknown")
    five.days(1)
    five.say("unknown", CommandName.EDIT, {"customer_contact": CONTACT})


def _customers_who_answer(five: Five) -> None:
    """Early, during the wait, by phone with and without a name to it, and to nobody."""
    five.file("early", usage_form("intune"), digest="d")
    five.answer("early")
    five.file("declined", usage_form("intune"), digest="e")
    five.approve("declined")
    five.answer("declined", operator="o-1")
    five.answer("declined")
    five.file("agreed", usage_form("intune"), digest="f")
    five.approve("agreed")
    five.answer("agreed", "agree", operator="")
    five.answer("agreed", "agree", operator="o-1")
    five.answer("nobody")
    for finding, workload, digest in (("released", "viva_connections", "9"), ("dismissed", "teams_phone", "0")):
        five.file(finding, usage_form(workload), digest=digest)
        five.approve(finding)
        five.answer(finding, doubts="no_visit")
        five.checks(finding, finding)
        five.checks(finding, finding)


def _the_dialogue(five: Five) -> None:
    """One partner answers, one never does, one withdraws, one is refused for good."""
    five.asked("answers", usage_form("viva_topics"))
    five.asked("sleeps", usage_form("viva_learning"))
    five.say("answers", CommandName.COMMENT, {"text": "These."})
    five.say("answers", CommandName.EDIT, {"claim_name": "Another name"})
    five.say("answers", CommandName.EDIT, {"partner_contact": {"name": "Otto Weber", "email": "otto@nordwind.example"}})
    five.say("answers", CommandName.RESUBMIT, {"comment": "Now complete."})
    five.review("answers", CommandName.REVIEW_COMMENT, text="Thank you.")
    five.file("leaves", usage_form("viva_insights"), digest="1")
    five.say("leaves", CommandName.WITHDRAW, {"reason": "wrong_role"})
    five.file("weak", usage_form("proplus"), digest="2")
    five.review("weak", CommandName.REVIEW_START)
    five.review("weak", CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin.")
    five.say("weak", CommandName.DISPUTE, {"justification": "It says all on page 4."})
    five.review("weak", CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="It does not.")


def _rivals(five: Five) -> None:
    """The incumbent is displaced during its wait; the challenger leaves its customer."""
    five.file("first", usage_form("teams"), digest="3")
    five.approve("first")
    five.file("rival", usage_form("teams"), by="P-2")
    displaced = [ids.claim_id(PartnerId("P-1"), "first")]
    five.approve("rival", by="P-2", displaces=displaced)
    five.say("rival", CommandName.DISASSOCIATE, {"reason": "No longer ours."}, by="P-2")


def _at_the_end(five: Five) -> None:
    """After the hand-off comes a no; one waits, one stands still, one is being looked at, its notice put off."""
    five.answer("silent")
    five.file("waits", usage_form("teams"), digest="4")
    five.approve("waits")
    five.file("stands", usage_form("viva_insights", **_to(REFUSED)), digest="5")
    five.approve("stands")
    five.file("queue", usage_form("proplus", **_to(PUT_OFF)), digest="6")
