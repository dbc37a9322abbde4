"""The tables of the rule book that follow from policies, transitions, clocks and permissions; the rules in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cpor.domain.clocks import CLOCK_SOURCES, STATUS_CLOCK
from cpor.domain.deciding.reviewing import SYSTEM_REASONS
from cpor.domain.permissions import PERMISSIONS
from cpor.domain.policy import Policy, policy
from cpor.domain.transitions import BEGINNINGS, TRANSITIONS, Transition
from cpor.domain.vocabulary import Clock, Edition, InformationReason, RejectionReason, Status, UserRole
from cpor.words.codes import REASONS
from tools.book.markdown import EDITIONS, NONE, SAME, code, length, listed, table
from tools.book.ways import BEGUN, target
from tools.rulebook import Rule, of_kind

_REASON_SOURCES: Mapping[RejectionReason, str] = {
    RejectionReason.CUSTOMER_DECLINED: "R38 R45 D7 D9",
    RejectionReason.PARTNER_REQUEST: "R38 D7 D8",
    RejectionReason.NO_PARTNER_RESPONSE: "R33 R38 T9",
    RejectionReason.INSUFFICIENT_POE: "R38 T20",
    RejectionReason.OTHER: "D24",
    RejectionReason.DISPUTE_UNSUCCESSFUL: "R42 D24",
    RejectionReason.DISASSOCIATED: "R51 D8",
}
#: The displaced are rejected by the system, in a reviewer's word (T20).
_GIVEN = {RejectionReason.INSUFFICIENT_POE: "reviewer, system"}
_EDIT_SOURCES: Mapping[Status, str] = {
    Status.DRAFT: "T2 D6 D21",
    Status.SUBMITTED: "T4 D6",
    Status.PARTNER_ACTION_REQUIRED: "R35 D6 D21",
    Status.APPROVED: "D6 D16 D20",
    Status.REJECTED: "D12",
}


def reasons() -> str:
    head = (
        "for a",
        "reason",
        "in words",
        "given by",
        *(f"disputable in {rules.edition}" for rules in EDITIONS),
        "source",
    )
    asked = [_information(each) for each in InformationReason]
    return table(head, [*asked, *map(_rejection, RejectionReason)])


def _information(reason: InformationReason) -> tuple[str, ...]:
    source = "D24" if reason is InformationReason.OTHER else "R32"
    return "request", code(reason), _worded(reason), "reviewer", *(NONE for _ in EDITIONS), source


def _rejection(reason: RejectionReason) -> tuple[str, ...]:
    given = _GIVEN.get(reason, "system" if reason in SYSTEM_REASONS else "reviewer")
    disputable = (_disputable(rules, reason) for rules in EDITIONS)
    return "rejection", code(reason), _worded(reason), given, *disputable, _REASON_SOURCES.get(reason, "R38")


def _worded(reason: str) -> str:
    """As the mails say it."""
    return REASONS.english[reason]


def _disputable(rules: Policy, reason: RejectionReason) -> str:
    """D7; what a final rejection names is beyond dispute, and some have no such rejection."""
    if reason in rules.dispute.undisputable_reasons:
        return "no"
    if reason is RejectionReason.DISASSOCIATED:
        return "no, final" if rules.endings.disassociate_from else NONE
    lost = reason is RejectionReason.DISPUTE_UNSUCCESSFUL and rules.dispute.lost_status is Status.REJECTED_FINAL
    return "no, final" if lost else "yes"


def roles() -> str:
    rows = [
        (code(row.area), code(row.role), code(row.engagement), row.unit, paid(row.role))
        for row in policy(Edition.P2023).roles
    ]
    return table(("solution area", "role", "engagement", "unit: tenant and", "paid in"), rows)


def paid(role: str) -> str:
    return listed(rules.edition for rules in EDITIONS if role in rules.incentives.payable_roles)


def editions() -> str:
    return table(("", *(rules.edition for rules in EDITIONS)), [(what, *map(tell, EDITIONS)) for what, tell in FACTS])


def many(number: int | None) -> str:
    return "no limit" if number is None else str(number)


FACTS: tuple[tuple[str, Callable[[Policy], str]], ...] = (
    ("claims created (D1)", lambda p: f"from {p.in_force_from}" if p.in_force_from.year > 1 else "before that"),
    ("acknowledgements (D31)", lambda p: listed(map(code, p.submission.acknowledgements))),
    ("notices to the customer (D3)", lambda p: f"when {' and when '.join(p.submission.customer_notices)}"),
    ("customer may decline (D4)", lambda p: "at any time" if p.consent.decline_days is None else _decline(p)),
    ("an early no (D9)", lambda p: p.consent.early_decline.replace("_", " ")),
    ("a link in the customer's mail leads to the claim (ours)", lambda p: f"{p.consent.link_days} days"),
    ("disputes in a claim's life (D25)", lambda p: many(p.dispute.max_disputes)),
    ("a lost dispute ends in (R42)", lambda p: code(p.dispute.lost_status)),
    ("never disputable (D7)", lambda p: listed(map(code, p.dispute.undisputable_reasons))),
    ("withdraw from (D8)", lambda p: listed(map(code, p.endings.withdraw_from))),
    ("disassociate from (D8)", lambda p: listed(map(code, p.endings.disassociate_from))),
    ("subscription (D11)", lambda p: p.form.subscription.replace("_", " ")),
    ("domain (R19)", lambda p: "required" if p.form.domain_required else "checked when given"),
    ("technical contact (§1)", lambda p: listed(map(code, p.form.technical_contact_areas))),
    ("opt-out of payment (R13)", lambda p: listed(map(code, p.form.incentive_opt_out_areas))),
    ("paid roles (D13)", lambda p: listed(map(code, p.incentives.payable_roles))),
    ("documents (D21)", lambda p: f"{p.documents.max_bytes // 2**20} MiB each, {p.documents.max_per_claim} a claim"),
)


def _decline(rules: Policy) -> str:
    return f"until the end of day {rules.consent.decline_days} after approval"


def editing() -> str:
    head = ("status", *(f"{rules.edition}: {what}" for rules in EDITIONS for what in ("fields", "documents")), "source")
    cells = {status: [cell for rules in EDITIONS for cell in _editable(rules, status)] for status in Status}
    rows = [(code(status), *told, _EDIT_SOURCES[status]) for status, told in cells.items() if {*told} != {NONE}]
    return table(head, rows)


def _editable(rules: Policy, status: Status) -> tuple[str, str]:
    fields = [code(field) for field in rules.editable(status)]
    if status == Status.APPROVED and rules.editing.while_consent_suspended:
        fields += [f"{code(field)} while consent is suspended" for field in rules.editing.while_consent_suspended]
    return listed(fields), listed(rules.document_actions(status))


def transitions() -> str:
    rows = [(BEGUN[first][1], code(first), "no claim yet", code(BEGUN[first][0]), SAME) for first in BEGINNINGS]
    return table(("rules", "what is asked", "from", "to", "P2020"), [*rows, *map(_transition, TRANSITIONS)])


def _transition(row: Transition) -> tuple[str, ...]:
    later, earlier = (_ways(row, rules) for rules in EDITIONS)
    source = row.source.replace("architecture 3", "architecture §3")
    return (source, code(row.command), *later, SAME if earlier == later else _told(*earlier))


def _told(names: str, to: str) -> str:
    return "not possible" if names == NONE else f"{names} → {to}"


def _ways(row: Transition, rules: Policy) -> tuple[str, str]:
    where = row.where(rules)
    to = target(row, rules)
    names = "any" if set(where) == set(Status) else listed(map(code, where))
    return names, "(stays)" if to is None else code(to)


def clocks() -> str:
    runs = {clock: status for status, clock in STATUS_CLOCK.items()} | {Clock.DISPUTE_WINDOW: Status.REJECTED}
    rows = [
        (code(clock), _runs(runs.get(clock)), *(_length(rules, clock) for rules in EDITIONS), CLOCK_SOURCES[clock])
        for clock in Clock
    ]
    return table(("clock", "runs while", *(rules.edition for rules in EDITIONS), "source"), rows)


def _runs(status: Status | None) -> str:
    return "first submission to first decision" if status is None else code(status)


def _length(rules: Policy, clock: Clock) -> str:
    rule = rules.clocks.get(clock)
    if rule is None:
        return NONE
    return length(rule) + (f", paused in {listed(map(code, rule.paused_in))}" if rule.paused_in else "")


def permissions() -> str:
    rows = [
        (code(name), listed(map(_role, row.on_draft)), listed(map(_role, row.later)), row.source)
        for name, row in PERMISSIONS.items()
    ]
    return table(("command", "on a draft", "later", "source"), rows)


def _role(role: UserRole) -> str:
    return role.replace("_", " ").capitalize()


def steps() -> str:
    return table(("#", "what happens"), map(_said, of_kind("T")))


def rules() -> str:
    return table(("#", "rule"), map(_said, of_kind("R")))


def decisions() -> str:
    return table(("#", "decision"), map(_said, of_kind("D")))


def _said(rule: Rule) -> tuple[str, str]:
    only = f"{rule.only} only. " if rule.only and rule.only not in rule.says else ""
    return rule.number, " ".join(filter(None, [f"{only}{rule.says}", rule.waits]))
