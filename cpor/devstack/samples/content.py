"""What stands in a proof of execution (R27), and realistic contents made up from a claim's facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random


class PublicSector(StrEnum):
    """The disclosure that customers in the United States and Puerto Rico make (R27, section 1)."""

    NONE = "not a public-sector entity"
    STATE_OR_LOCAL = "a state or local government entity"
    FEDERAL = "a federal government entity"
    EDUCATION = "a public education institution"


@dataclass(frozen=True)
class Activity:
    """One row of section 3: work done, and what shows it."""

    title: str
    description: str
    evidence: str
    started_on: date
    ended_on: date


@dataclass(frozen=True)
class Usage:
    """One row of section 4: a product or workload, and by what activity its use came about."""

    #: code of the catalogue, e.g. `teams_phone`
    workload: str
    activity_type: str
    #: one line, e.g. "from 40 to 310 active users"
    outcome: str


@dataclass(frozen=True)
class PoeContent:
    """Everything on the document. A PoE that lacks something (R26) has None or an empty tuple there."""

    document_number: str
    issued_on: date
    partner_name: str
    partner_location_id: str
    partner_contact: str
    customer_name: str
    domain: str
    tenant_id: str
    project_name: str | None
    #: Only for customers in the United States and Puerto Rico.
    public_sector: PublicSector | None
    signer_name: str
    signer_title: str
    #: None: the customer's signature is missing
    signed_on: date | None
    activities: tuple[Activity, ...]
    usage: tuple[Usage, ...]
    subscription_id: str | None = None


@dataclass(frozen=True)
class _Work:
    """A kind of work: its title, what is done in it, and what it leaves behind."""

    title: str
    description: str
    evidence: str
    days: int


PRESALES = (
    _Work(
        "Envisioning workshop",
        "Two days with department heads: processes recorded, goals ranked, scenarios for {products} chosen.",
        "Agenda, attendance list, results paper",
        2,
    ),
    _Work(
        "Requirements and fit analysis",
        "Interviews in four departments; gaps between today's process and {products} listed and rated.",
        "Requirements list v1.2, fit/gap matrix",
        15,
    ),
    _Work(
        "Proof of concept",
        "A working model in a trial environment with the customer's own master data, shown to the steering group.",
        "Recorded demonstration, acceptance note",
        20,
    ),
    _Work(
        "Licence and roll-out proposal",
        "Quantities, editions and a plan in three phases worked out and presented to the management.",
        "Proposal, minutes of the decision meeting",
        8,
    ),
)
DELIVERY = (
    _Work(
        "Technical design and set-up",
        "Tenant settings, identities and policies for {products} designed, set up and documented.",
        "Design document, configuration export",
        18,
    ),
    _Work(
        "Pilot",
        "A pilot group of 40 users worked with {products} for three weeks; findings were settled each Friday.",
        "Pilot plan, issue list with dates of closure",
        21,
    ),
    _Work(
        "Migration and roll-out",
        "Users moved in four waves, each with a check before and after; support on site in the first two days.",
        "Wave reports, hand-over record",
        30,
    ),
    _Work(
        "Training and adoption",
        "Twelve sessions for users and six for key users; materials handed over, use measured every month.",
        "Attendance lists, usage report",
        25,
    ),
)
#: Partner role of the claim form → the activity type of section 4, and the work that such a claim shows.
WORK: Mapping[str, tuple[str, tuple[_Work, ...]]] = {
    "build_intent_advisor": ("Build intent (advisory)", PRESALES),
    "usage_recognition": ("Deployment and usage", DELIVERY),
    "influenced_revenue": ("Solution sale", PRESALES),
    "use_or_consume": ("Adoption and consumption", DELIVERY),
}
SIGNERS = (
    ("M. Lindgren", "Head of IT"),
    ("A. Duarte", "Chief Information Officer"),
    ("K. Hoffmann", "Director, Workplace Services"),
    ("R. Okafor", "Operations Manager"),
    ("S. Takeda", "General Manager, Information Systems"),
)
SPELLINGS = {
    "Ad": "AD",
    "Bi": "BI",
    "Hr": "HR",
    "Ce": "CE",
    "Fo": "F&O",
    "And": "and",
    "For": "for",
    "Proplus": "ProPlus",
}


def realistic_content(
    *,
    seed: str,
    partner_name: str,
    partner_location_id: str,
    customer_name: str,
    domain: str,
    tenant_id: str,
    country: str,
    partner_role: str,
    workloads: Sequence[str],
    signed_on: date | None,
    issued_on: date,
    subscription_id: str | None = None,
    signer: tuple[str, str] | None = None,
) -> PoeContent:
    """A complete PoE for a claim: the same arguments always give the same content; `seed` tells documents
    apart.

    `country` is ISO 3166 alpha-2, `signer` is name and title. With `signed_on` None the document lacks the
    customer's acknowledgement; with fewer workloads than the claim has it lacks products (R26).
    """
    random = Random(seed)
    activity_type, works = WORK[partner_role]
    names = tuple(workload_title(code) for code in workloads)
    signer_name, signer_title = signer or random.choice(SIGNERS)
    public_sector = random.choice(tuple(PublicSector)) if country in {"US", "PR"} else None
    return PoeContent(
        document_number=f"PoE-{random.randrange(10_000, 99_999)}",
        issued_on=issued_on,
        partner_name=partner_name,
        partner_location_id=partner_location_id,
        partner_contact=random.choice(("J. Keller", "P. Almeida", "Y. Mori", "L. Chen", "D. Novak")),
        customer_name=customer_name,
        domain=domain,
        tenant_id=tenant_id,
        project_name=random.choice((f"{names[0]} programme", "Workplace renewal", None)) if names else None,
        public_sector=public_sector,
        signer_name=signer_name,
        signer_title=signer_title,
        signed_on=signed_on,
        activities=_activities(random, works, names, signed_on or issued_on),
        usage=tuple(Usage(code, activity_type, _outcome(random)) for code in workloads),
        subscription_id=subscription_id,
    )


def workload_title(code: str) -> str:
    """`azure_ad_premium` → `Azure AD Premium`."""
    return " ".join(SPELLINGS.get(word, word) for word in code.replace("_", " ").title().split())


def _activities(random: Random, works: Sequence[_Work], names: Sequence[str], until: date) -> tuple[Activity, ...]:
    """Three pieces of work, one after the other, the last of which ends before the signature."""
    products = " and ".join(names[:2]) or "the products"
    chosen = sorted(random.sample(range(len(works)), 3))
    rows: list[Activity] = []
    for index in reversed(chosen):
        work = works[index]
        ended = until - timedelta(days=random.randint(4, 12))
        until = ended - timedelta(days=work.days)
        description = work.description.format(products=products)
        rows.append(Activity(work.title, description, work.evidence, until, ended))
    return tuple(reversed(rows))


def _outcome(random: Random) -> str:
    before = random.randrange(10, 200, 5)
    return f"{before} to {before + random.randrange(100, 900, 10)} active users"
