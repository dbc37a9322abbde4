"""`python -m tools.doc_tables [--check]`: writes the tables of `docs/` that follow from the code.

A page holds `<!-- generated: name -->` and `<!-- end -->`; what stands between them is made here. `--check` changes
nothing and fails where a page is stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cpor.domain.clocks import STATUS_CLOCK
from cpor.domain.permissions import PERMISSIONS
from cpor.domain.policy import Policy, policy
from cpor.domain.transitions import BEGINNINGS, TRANSITIONS, Transition
from cpor.domain.vocabulary import Clock, CommandName, Edition, InformationReason, RejectionReason, Status, UserRole
from cpor.runtime.topics import FIXED_TOPICS, Count, TopicSpec, partner_topics
from schemas.channels import CHANNELS, PARTNER
from schemas.registry import ADMITTED, MESSAGES, MessageSpec
from tools.rulebook import EDITIONS as BOOK_EDITIONS
from tools.rulebook import Proof, Rule, of_kind, proofs
from tools.rulebook import rules as all_rules

DOCS = Path(__file__).resolve().parent.parent / "docs"
SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
EDITIONS = (policy(Edition.P2023), policy(Edition.P2020))
SAME = "the same"
RENAMED = (Status.DRAFT, Status.DISPUTED)
NONE = "–"

Rows = Iterable[Sequence[str]]


def table(head: Sequence[str], rows: Rows) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def code(name: str) -> str:
    return f"`{name}`"


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NONE


# --- docs/rules.md -----------------------------------------------------------------------------------------------


def reasons() -> str:
    rows = [
        ("request for information", listed(map(code, InformationReason))),
        ("rejection", listed(map(code, RejectionReason))),
    ]
    return table(("for a", "reasons"), rows)


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
    ("disputes in a claim's life (D25)", lambda p: many(p.dispute.max_disputes)),
    ("a lost dispute ends in (R42)", lambda p: code(p.dispute.lost_status)),
    ("never disputable (D7)", lambda p: listed(map(code, p.dispute.undisputable_reasons))),
    ("withdraw from (D8)", lambda p: listed(map(code, p.endings.withdraw_from))),
    ("disassociate from (D8)", lambda p: listed(map(code, p.endings.disassociate_from))),
    ("subscription (D11)", lambda p: p.form.subscription.replace("_", " ")),
    ("domain", lambda p: "required" if p.form.domain_required else "checked when given"),
    ("technical contact", lambda p: listed(map(code, p.form.technical_contact_areas))),
    ("opt-out of payment (R13)", lambda p: listed(map(code, p.form.incentive_opt_out_areas))),
    ("paid roles (D13)", lambda p: listed(map(code, p.incentives.payable_roles))),
    ("documents (D21)", lambda p: f"{p.documents.max_bytes // 2**20} MiB each, {p.documents.max_per_claim} a claim"),
    (
        "label of `draft`, `disputed` (D31)",
        lambda p: listed(p.labels.statuses[s] for s in (Status.DRAFT, Status.DISPUTED)),
    ),
)


def _decline(rules: Policy) -> str:
    return f"until the end of day {rules.consent.decline_days} after approval"


def editing() -> str:
    head = ("status", *(f"{rules.edition}: {what}" for rules in EDITIONS for what in ("fields", "documents")))
    rows = [(code(status), *(cell for rules in EDITIONS for cell in _editable(rules, status))) for status in Status]
    return table(head, (row for row in rows if set(row[1:]) != {NONE}))


def _editable(rules: Policy, status: Status) -> tuple[str, str]:
    fields = [code(field) for field in rules.editable(status)]
    if status == Status.APPROVED and rules.editing.while_consent_suspended:
        fields += [f"{code(field)} while consent is suspended" for field in rules.editing.while_consent_suspended]
    return listed(fields), listed(rules.document_actions(status))


def transitions() -> str:
    rows = [(_source(first), code(first), "no claim yet", _begun(first), SAME) for first in BEGINNINGS]
    return table(("rules", "what is asked", "from", "to", "P2020"), [*rows, *map(_transition, TRANSITIONS)])


def _source(first: CommandName) -> str:
    return "D23" if first == CommandName.OPS_IMPORT_LEGACY else "T1" if first == CommandName.CREATE else "T1 T3"


def _begun(first: CommandName) -> str:
    begun = {CommandName.CREATE: Status.DRAFT, CommandName.FILE: Status.SUBMITTED}
    return code(begun.get(first, Status.APPROVED))


def _transition(row: Transition) -> tuple[str, ...]:
    later, earlier = (_ways(row, rules) for rules in EDITIONS)
    source = row.source.replace("architecture 3", "architecture §3")
    return (source, code(row.command), *later, SAME if earlier == later else _told(*earlier))


def _told(names: str, to: str) -> str:
    return "not possible" if names == NONE else f"{names} → {to}"


def _ways(row: Transition, rules: Policy) -> tuple[str, str]:
    where = row.where(rules)
    to = row.to if isinstance(row.to, Status) or row.to is None else row.to(rules)
    names = "any" if set(where) == set(Status) else listed(map(code, where))
    return names, "(stays)" if to is None else code(to)


def clocks() -> str:
    runs = {clock: status for status, clock in STATUS_CLOCK.items()} | {Clock.DISPUTE_WINDOW: Status.REJECTED}
    rows = [(code(clock), _runs(runs.get(clock)), *(_length(rules, clock) for rules in EDITIONS)) for clock in Clock]
    return table(("clock", "runs while", *(rules.edition for rules in EDITIONS)), rows)


def _runs(status: Status | None) -> str:
    return "first submission to first decision" if status is None else code(status)


def _length(rules: Policy, clock: Clock) -> str:
    rule = rules.clocks.get(clock)
    if rule is None:
        return NONE
    unit = {"bd": "business days", "d": "calendar days"}[rule.unit]
    return f"{rule.budget} {unit}" + (f", paused in {listed(map(code, rule.paused_in))}" if rule.paused_in else "")


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


# --- docs/traceability.md ----------------------------------------------------------------------------------------


def traceability() -> str:
    found = proofs()
    head = ("rule", *(f"tests in {edition}" for edition in BOOK_EDITIONS))
    every = all_rules().values()
    return table(head, [(each.number, *(_proven(each, edition, found) for edition in BOOK_EDITIONS)) for each in every])


def _proven(rule: Rule, edition: str, found: Iterable[Proof]) -> str:
    if edition not in rule.editions:
        return NONE
    mine = [each for each in found if each.rule == rule.number and each.holds_for(edition)]
    return "<br>".join(f"[{_sentence(each)}](../{each.file})" for each in mine)


def _sentence(proof: Proof) -> str:
    return proof.test.removeprefix("test_").replace("_", " ")


# --- docs/messages.md --------------------------------------------------------------------------------------------

#: Topic → key, and what it holds; who sends and reads the public ones stands in `schemas.channels`.
#: `@tenant`: placed in the partition of the claim's tenant, whatever the key.
WORDS: Mapping[str, tuple[str, str]] = {
    **{each.topic: (each.key + " @tenant" * each.placed, each.holds.removesuffix(".")) for each in CHANNELS},
    "cpor.intake.state": ("partner/claim reference", "what intake remembers of a reference"),
    "cpor.intake.parked": ("partner/claim reference", "references that wait behind a dead letter"),
    "cpor.review.parked": ("tenant/claim id", "claims that wait behind a dead letter"),
    "cpor.deadlines.slots": (NONE, "nothing, ever: deadlines' group joins it"),
    "cpor.deadlines.state": ("claim id @tenant", "the clocks of a claim, and what of them is still to be told"),
    "cpor.consent.state": ("claim id @tenant", "what consent knows of a claim: wait, newest notice, tokens that count"),
    "cpor.consent.timers": ("claim, clock, start, rung", "consent's durable timers; answers until they are judged"),
    "cpor.notify.slots": (NONE, "nothing, ever: notify's group joins it"),
    "cpor.notify.state": ("claim id @tenant", "what notify remembers of a claim"),
    "cpor.notify.outbox": ("mail id @tenant", "mails on their way; tombstone when delivered or bounced"),
    "cpor.notify.timers": ("timer @tenant", "notify's timers"),
    "cpor.notify.parked": ("claim id @tenant", "claims that wait behind a dead letter"),
}
#: Topics that a service keeps for itself, by the last part of their name: key, and what they hold.
OWN_WORDS: Mapping[str, tuple[str, str]] = {
    "slots": (NONE, "nothing, ever: {service}'s group joins it"),
    "parked": ("what orders records", "keys that wait behind a dead letter"),
    "timers": ("claim, clock, start, rung", "{service}'s durable timers"),
    "state": ("{service}'s own", "what {service} remembers"),
}
COUNTS: Mapping[Count, str] = {Count.CLAIMS: "N", Count.PARTNERS: "P", Count.ONE: "1"}


def topics() -> str:
    known = (*partner_topics("PARTNER"), *FIXED_TOPICS)
    return table(("topic", "key", "holds", "partitions", "kept"), map(_topic, known))


def _words(topic: str) -> tuple[str, str]:
    """Key, and what it holds. Raises KeyError for a topic that is neither in `WORDS` nor of a kind in `OWN_WORDS`."""
    if topic in WORDS:
        return WORDS[topic]
    _, service, kind = topic.split(".")
    key, holds = OWN_WORDS[kind]
    return key.format(service=service), holds.format(service=service)


def _topic(spec: TopicSpec) -> tuple[str, ...]:
    name = spec.name.replace("PARTNER", PARTNER)
    key, holds = _words(name)
    return code(name), key, f"{holds[0].lower()}{holds[1:]}", COUNTS[spec.count], _kept(spec)


def _kept(spec: TopicSpec) -> str:
    size = f", up to {spec.max_message_bytes // 2**20} MiB" if spec.max_message_bytes > 2**20 else ""
    if spec.compact:
        return f"newest per key{size}"
    return ("for ever" if spec.keep_days is None else f"{spec.keep_days} d") + size


def types() -> str:
    found = [spec for spec in MESSAGES.values() if not spec.name.startswith(ADMITTED)]
    return table(("`ce_type`", "topic", "schema"), map(_type, found))


def _type(spec: MessageSpec) -> tuple[str, ...]:
    topic = "" if not spec.topics else listed(map(code, spec.topics))
    if f"{ADMITTED}{spec.name}" in MESSAGES:
        topic += f"; admitted: {code('cpor.claims.commands')} ([schema](../schemas/json/{ADMITTED}{spec.name}.json))"
    return code(spec.name), topic, f"[{spec.name.removeprefix('cpor.')}](../schemas/json/{spec.name}.json)"


# --- writing -----------------------------------------------------------------------------------------------------

TABLES: Mapping[str, Callable[[], str]] = {
    each.__name__: each
    for each in (
        *(reasons, roles, editions, editing, transitions, steps, clocks, rules, decisions, permissions),
        *(traceability, topics, types),
    )
}


def rewritten(text: str) -> str:
    """The page with its tables as they should be. Raises KeyError for a table that nobody makes."""
    return SECTION.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


def stale_pages() -> list[Path]:
    return [page for page in sorted(DOCS.rglob("*.md")) if rewritten(text := page.read_text("utf-8")) != text]


def main(arguments: Sequence[str]) -> int:
    stale = stale_pages()
    for page in stale:
        print(f"stale: {page.relative_to(DOCS.parent)}" if "--check" in arguments else f"written: {page.name}")
        if "--check" not in arguments:
            page.write_text(rewritten(page.read_text("utf-8")), "utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
