"""The state machine: partners, reviewers, customers, operators, the mail server, time, and what befalls workers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from cpor.domain.vocabulary import CommandName, Instant, Status, instant_text
from cpor.ops.checker import check
from cpor.runtime.topics import Topic
from schemas.envelope import headers
from tests.unit.machine import replay
from tests.unit.machine.judging import judged
from tests.unit.machine.stage import Stage, copy_of, partition_of
from tests.unit.machine.watch import HELD
from tests.unit.machine.world import (
    SERVICES,
    SOLD,
    STARTS,
    SUBSCRIPTIONS,
    Post,
    Strike,
    Trouble,
    customer_entry,
)
from tests.unit.ops.checker.whole import PARTNERS
from tests.unit.review.pipeline import DAY_MS, LOCATION, directory_entry

Rule = TypeVar("Rule", bound=Callable[..., Any])
#: Which of those that are there.
ANY = st.integers(0, 7)
FEW = st.integers(0, 4)
OPEN = (Status.SUBMITTED, Status.UNDER_REVIEW, Status.PARTNER_ACTION_REQUIRED)
DECIDABLE = (Status.UNDER_REVIEW, Status.SUBMITTED, Status.DISPUTED)
POINTS = ("send", "send_positions", "commit", "committed")
SOLD_AS = ("active", "active", "grace", "ended")
HOWS: tuple[dict[str, Any], ...] = (
    {"channel": "page"},
    {"channel": "phone", "operator": "o-1"},
    {"channel": "phone"},
    {"channel": "mail", "operator": "o-1", "evidence": "letter"},
)


def where(*statuses: Status) -> Callable[[Rule], Rule]:
    """Only while a claim has one of them."""
    return precondition(lambda self: self.has(*statuses))


all_settle = precondition(lambda self: not self.world.settles)
#: What all examples of a process did, for the long run's report.
TALLY: Counter[str] = Counter()


class Machine(Stage):
    """One example is one world from its first message until it is at rest."""

    @initialize(
        start=st.sampled_from(sorted(STARTS)),
        seed=st.integers(0, 2**16),
        records=st.sampled_from((1, 2, 5, 3_000)),
        settles=st.booleans(),
        first=st.lists(st.tuples(ANY, ANY, FEW, FEW), min_size=1, max_size=3),
    )
    def begins(
        self, start: str, seed: int, records: int, settles: bool, first: list[tuple[int, int, int, int]]
    ) -> None:
        self.opens(start, seed, records, settles)
        TALLY["examples"] += 1
        for claim in first:
            self._files(*claim)

    # -- partners ------------------------------------------------------------------------------------------------------

    @rule(by=ANY, tenant=ANY, kind=FEW, email=FEW)
    def files(self, by: int, tenant: int, kind: int, email: int) -> None:
        self._files(by, tenant, kind, email)

    def _files(self, by: int, tenant: int, kind: int, email: int) -> None:
        claim = self.new_claim(by, tenant)
        form = self.form(claim, kind, email)
        documents = [self.document(claim, form["workloads"])]
        self.says(
            claim, CommandName.FILE, {**form, "documents": documents, "acknowledgements": self.acknowledged(claim)}
        )

    @rule(by=ANY, tenant=ANY, kind=FEW, email=FEW)
    def drafts(self, by: int, tenant: int, kind: int, email: int) -> None:
        claim = self.new_claim(by, tenant)
        self.says(claim, CommandName.CREATE, self.form(claim, kind, email))

    @where(Status.DRAFT, Status.PARTNER_ACTION_REQUIRED, Status.REJECTED)
    @rule(n=ANY, kind=FEW)
    def attaches(self, n: int, kind: int) -> None:
        claim = self.pick(n, Status.DRAFT, Status.PARTNER_ACTION_REQUIRED, Status.REJECTED)
        document = self.uploads(claim)
        if document is not None:
            covers = [["teams", "intune"], ["exchange"], ["sales"]][kind % 3]
            told = {"document_id": document, "description": "More", "covers": covers}
            self.says(claim, CommandName.POE_ATTACH, told)
        if document is not None and kind == 4:
            self.says(claim, CommandName.POE_REMOVE, {"document_id": document})

    @where(Status.DRAFT)
    @rule(n=ANY, cancels=st.booleans())
    def ends_a_draft(self, n: int, cancels: bool) -> None:
        claim = self.pick(n, Status.DRAFT)
        if cancels:
            self.says(claim, CommandName.CANCEL)
        else:
            self.says(claim, CommandName.SUBMIT, {"acknowledgements": self.acknowledged(claim)})

    @where(Status.PARTNER_ACTION_REQUIRED, Status.DRAFT, Status.SUBMITTED, Status.APPROVED)
    @rule(n=ANY, email=FEW, what=st.integers(0, 3))
    def edits(self, n: int, email: int, what: int) -> None:
        claim = self.pick(n, Status.PARTNER_ACTION_REQUIRED, Status.DRAFT, Status.SUBMITTED, Status.APPROVED)
        changes = ({"workloads": ["teams"]}, {"claim_name": "Another"}, {"location_id": "4711002"})
        self.says(claim, CommandName.EDIT, self.contact(email) if what == 3 else changes[what])

    @where(Status.PARTNER_ACTION_REQUIRED)
    @rule(n=ANY, comments=st.sampled_from((True, True, False)))
    def answers_the_request(self, n: int, comments: bool) -> None:
        claim = self.pick(n, Status.PARTNER_ACTION_REQUIRED)
        self.says(claim, CommandName.RESUBMIT, {"comment": "These."} if comments else None)

    @where(Status.REJECTED, Status.APPROVED)
    @rule(n=ANY, name=st.sampled_from((CommandName.DISPUTE, CommandName.WITHDRAW, CommandName.DISASSOCIATE)))
    def wants_another_end(self, n: int, name: CommandName) -> None:
        wanted = {CommandName.DISPUTE: (Status.REJECTED,), CommandName.WITHDRAW: OPEN}.get(name, (Status.APPROVED,))
        data = {
            CommandName.DISPUTE: {"justification": "It says all on page 4."},
            CommandName.WITHDRAW: {"reason": "wrong_role"},
            CommandName.DISASSOCIATE: {"reason": "No longer ours."},
        }
        self.says(self.pick(n, *wanted), name, data[name])

    @rule(n=st.integers(0, 30), conflicts=st.booleans())
    def repeats(self, n: int, conflicts: bool) -> None:
        """The very message again, or another under its id."""
        said = self.world.partner_outputs()
        value = json.dumps({"user": "u-anna", "text": "Other words"}).encode() if conflicts else None
        self.world.put(copy_of(said[n % len(said)], value))
        self.world.run()
        self.watch.look()

    @rule(n=ANY, how=FEW)
    def talks(self, n: int, how: int) -> None:
        """A comment, one of somebody who may not, one without an id, no JSON, and a type that there is not."""
        claim = self.pick(n)
        name = CommandName.COMMENT if how != 4 else "cpor.claim.unheard_of.v1"
        data: Any = {"text": "Hello", **({"user": "u-uwe"} if how == 1 else {})} if how != 3 else b"[" * 9
        self.world.say(claim.ref, name, data, by=claim.by, tell=how != 2)
        self.watch.look()

    # -- reviewers -----------------------------------------------------------------------------------------------------

    @where(*DECIDABLE)
    @rule(n=ANY, names=st.booleans())
    def approves(self, n: int, names: bool) -> None:
        """Of what is not being looked at yet, the review is begun."""
        claim = self.pick(n, *DECIDABLE)
        if self.status(claim) == Status.SUBMITTED:
            self.reviews(claim, CommandName.REVIEW_START)
        self.reviews(claim, CommandName.REVIEW_APPROVE, **({"displaces": self.rivals(claim)} if names else {}))

    @where(*DECIDABLE)
    @rule(n=ANY, asks=st.booleans())
    def doubts(self, n: int, asks: bool) -> None:
        """More is asked for, or it is rejected."""
        claim = self.pick(n, *DECIDABLE)
        if self.status(claim) == Status.SUBMITTED:
            self.reviews(claim, CommandName.REVIEW_START)
        code, name = ("missing_products", CommandName.REVIEW_REQUEST_INFORMATION) if asks else _REJECTS
        self.reviews(claim, name, reasons=[{"code": code}], comment="Which?")

    @where(Status.SUBMITTED)
    @rule(n=ANY, says=st.booleans())
    def looks_at(self, n: int, says: bool) -> None:
        claim = self.pick(n, Status.SUBMITTED)
        if says:
            self.reviews(claim, CommandName.REVIEW_COMMENT, text="Thank you.")
        else:
            self.reviews(claim, CommandName.REVIEW_START)

    @where(Status.UNDER_REVIEW, Status.DISPUTED)
    @rule(n=ANY, approves=st.booleans())
    def two_reviewers_at_once(self, n: int, approves: bool) -> None:
        """Both have seen the same: only one can decide."""
        claim = self.pick(n, Status.UNDER_REVIEW, Status.DISPUTED)
        state = self.state(claim)
        if state is None:
            return
        one, other = (self.decision(claim, each, state.sequence) for each in (approves, not approves))
        before = self.watch.decided
        self.world.put(one, other)
        self.world.run()
        self.watch.look()
        if self.world.settles:
            assert self.watch.decided - before <= 1, "I13: of two who have seen the same one decides"

    # -- customers -----------------------------------------------------------------------------------------------------

    @where(Status.APPROVED, *OPEN)
    @rule(n=ANY, declines=st.booleans(), how=st.sampled_from(HOWS))
    def customer_answers(self, n: int, declines: bool, how: dict[str, Any]) -> None:
        claim = self.pick(n, Status.APPROVED, *OPEN)
        self.answers(claim, "decline" if declines else "agree", how)

    @rule(post=st.sampled_from((Post.AWAY, Post.PUTS_OFF, Post.REFUSES)))
    def mail_server(self, post: Post) -> None:
        """It gets worse, or is mended."""
        self.world.serves(post if self.world.post == Post.UP else Post.UP)
        self.watch.look()

    # -- time ----------------------------------------------------------------------------------------------------------

    @rule(days=st.sampled_from((0.2, 1, 3, 7, 7.5, 8, 15, 31)))
    def time_passes(self, days: float) -> None:
        self.world.days(days)
        self.watch.look()

    @rule(early=st.integers(-1, 1))
    def until_the_next_clock(self, early: int) -> None:
        """To a moment before, on or after the instant at which the next one is due."""
        due = self.world.next_due()
        if due is not None and due + early > self.now():
            self.world.passes(due + early - self.now())
            self.watch.look()

    # -- operators and references --------------------------------------------------------------------------------------

    @where(Status.APPROVED)
    @rule(n=ANY, email=FEW, corrects=st.booleans())
    def resends(self, n: int, email: int, corrects: bool) -> None:
        claim = self.pick(n, Status.APPROVED)
        self.operates(claim, CommandName.OPS_RESEND_NOTICE, **(self.contact(email) if corrects else {}))

    @rule(n=ANY, ends=st.booleans())
    def parks_or_goes_on(self, n: int, ends: bool) -> None:
        claim = self.pick(n, Status.PARTNER_ACTION_REQUIRED)
        name = CommandName.UNPARK if ends else CommandName.PARK
        self.world.tell(claim.ref, name, by=claim.by, tenant=claim.tenant, letter_id="l-1")
        self.watch.look()

    @rule(by=ANY, tenant=ANY, days=st.sampled_from((5, 40, 200)))
    def imports_a_legacy_association(self, by: int, tenant: int, days: int) -> None:
        """D23: with a known end, in so many days."""
        claim = self.new_claim(by, tenant)
        ends = instant_text(Instant(self.now() + days * DAY_MS))[:10]
        who = {"claim_ref": claim.ref, "partner_id": claim.by, "location_id": LOCATION, "tenant_id": claim.tenant}
        what = {"subscription_id": SUBSCRIPTIONS[claim.tenant], "partner_role": "build_intent_advisor", "ends_on": ends}
        self.operates(claim, CommandName.OPS_IMPORT_LEGACY, **who, **what)

    @where(Status.APPROVED)
    @rule(n=ANY)
    def ends_a_subscription(self, n: int) -> None:
        claim = self.pick(n, Status.APPROVED)
        self.operates(claim, CommandName.OPS_END_SUBSCRIPTION, ends_on="2024-03-31")

    @rule(n=ANY, fits=st.booleans())
    def incentive_result(self, n: int, fits: bool) -> None:
        claim = self.pick(n, Status.APPROVED)
        self.world.sent += 1
        told = headers(CommandName.ELIGIBILITY_RESULT, f"i-{self.world.sent}", "/incentives", self.now(), claim.id)
        value = {"claim_id": claim.id, "outcome": "eligible" if fits else "ineligible"}
        self.world.append(Topic.INCENTIVE_RESULTS, partition_of(claim.tenant), claim.tenant, value, told)
        self.world.run()
        self.watch.look()

    @rule(n=ANY, what=st.integers(0, 4))
    def references_change(self, n: int, what: int) -> None:
        partner, tenant = PARTNERS[n % 2], list(SUBSCRIPTIONS)[n % 2]
        entry = directory_entry(partner)
        match what:
            case 0:
                self.directory(partner)
            case 1:
                users = [{**each, "role": "incentives_user"} for each in entry["users"]]
                self.directory(partner, users=users)
            case 2:
                self.directory(partner, locations=[{**each, "enrolled": False} for each in entry["locations"]])
            case 3:
                self.directory(partner, status="suspended")
            case _:
                self.refers(
                    Topic.CUSTOMERS, partition_of(tenant), tenant, customer_entry(tenant, domains=["other.example"])
                )

    @rule(n=ANY, days=st.sampled_from((None, -30, 0, 5, 40)), state=st.sampled_from(SOLD_AS))
    def subscription_changes(self, n: int, days: int | None, state: str) -> None:
        """Renewed or not, in grace, or over: T19 is what time makes of it."""
        tenant, subscription = list(SUBSCRIPTIONS.items())[n % 2]
        ends = None if days is None else instant_text(Instant(self.now() + days * DAY_MS))[:10]
        entry = {**SOLD, "tenant_id": tenant, "subscription_id": subscription, "state": state, "ends_on": ends}
        self.refers(Topic.SUBSCRIPTIONS, partition_of(tenant), subscription, entry)

    # -- workers -------------------------------------------------------------------------------------------------------

    @rule(
        service=st.sampled_from(SERVICES),
        trouble=st.sampled_from(Trouble),
        point=st.sampled_from(POINTS),
        passings=st.integers(1, 3),
    )
    def trouble_comes(self, service: str, trouble: Trouble, point: str, passings: int) -> None:
        self.world.strike = Strike(service, trouble, point, passings)

    @rule(service=st.sampled_from(SERVICES))
    def group_grows_or_shrinks(self, service: str) -> None:
        members = self.world.of(service)
        if len(members) == 1:
            self.world.joins(service, "1")
        else:
            self.world.leaves(members[-1])

    @rule(service=st.sampled_from(SERVICES), n=ANY)
    def store_is_lost(self, service: str, n: int) -> None:
        members = self.world.of(service)
        self.world.loses_its_store(members[n % len(members)])

    @all_settle
    @rule(service=st.sampled_from(SERVICES))
    def stands_still_or_goes_on(self, service: str) -> None:
        for member in self.world.of(service):
            member.awake = not member.awake

    @all_settle
    @rule(rounds=st.integers(1, 6))
    def all_work(self, rounds: int) -> None:
        for _ in range(rounds):
            self.world.one_round()
        self.watch.look()

    # -- the end -------------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.watch.look()
        TALLY["steps"] += 1

    @precondition(lambda self: self.world.sent % 4 == 3)
    @rule()
    def is_audited_while_it_works(self) -> None:
        log = self.world.log()
        assert [str(each) for each in check(log, settled=False, letters=[HELD])] == []

    def teardown(self) -> None:
        if not hasattr(self, "watch"):
            return
        settled = self.world.settles
        self.world.rest()
        self.watch.look()
        judged(self, settled)
        _count(self)


#: How often a rule comes up beside one that is not named here.
WEIGHTS = {
    "files": 4,
    "approves": 6,
    "doubts": 4,
    "time_passes": 5,
    "customer_answers": 3,
    "trouble_comes": 3,
    "answers_the_request": 4,
    "wants_another_end": 3,
    "imports_a_legacy_association": 2,
    "subscription_changes": 3,
}
for _name, _times in WEIGHTS.items():
    for _n in range(1, _times):
        setattr(Machine, f"{_name}_{_n}", getattr(Machine, _name))

_REJECTS = ("insufficient_poe", CommandName.REVIEW_REJECT)


def _count(stage: Stage) -> None:
    TALLY["records"] += replay.words(stage.world)
    TALLY["deaths"] += stage.world.struck
    TALLY.update(stage.watch.seen)
