"""A draft and its claim become subject, text and HTML: jinja2 with StrictUndefined, escaped where it is HTML.

Three files a mail and language: `templates/<mail>/<language>/{subject.txt,body.txt,body.html}`; what they share stands
in `templates/shared/<language>`, the words for codes in `templates/words/<language>.toml`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cpor.domain.model import Reason
from cpor.domain.policy import UnitKind, policy
from services.notify.dates import day_text
from services.notify.letters import Draft, Told

TEMPLATES = Path(__file__).parent / "templates"
ENGLISH = "en"
#: What a subject may have at most, characters; a longer one is cut.
LONGEST_SUBJECT = 180
_TAG = re.compile(r"[A-Za-z0-9-]+")
_GAPS = re.compile(r"\n{3,}")
#: Control characters, line separators, and what turns the direction of writing (it makes names look like others).
_UNSEEN = ("Cc", "Zl", "Zp", "Cs")
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"


class Rendered(NamedTuple):
    subject: str
    text: str
    html: str
    language: str


def render(told: Told, draft: Draft) -> Rendered:
    """Raises jinja2.UndefinedError where a template asks for what it was not given: a fault of ours."""
    language = spoken(draft.kind.value, draft.to.language)
    facts = _shared(told, draft, language) | _worded(told, language, draft.facts)
    subject, text, html = (
        environment().get_template(f"{draft.kind.value}/{language}/{part}").render(facts)
        for part in ("subject.txt", "body.txt", "body.html")
    )
    return Rendered(one_line(subject), _GAPS.sub("\n\n", text.strip()) + "\n", html, language)


@cache
def environment() -> Environment:
    """Escapes in `.html`, nowhere else."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["day"] = _day
    return made


def _day(day: date, language: str) -> str:
    return day_text(day.replace(), language)  # asks the value for something: a fact that is missing fails here


@cache
def spoken(mail: str, wanted: str | None) -> str:
    """The wanted language as far as the mail exists in it: `pt-BR`, then `pt`, then English."""
    for language in (wanted, (wanted or "").partition("-")[0]):
        if language and _TAG.fullmatch(language) and (TEMPLATES / mail / language).is_dir():
            return language
    return ENGLISH


@cache
def words(language: str) -> Mapping[str, Mapping[str, str]]:
    """Words for codes, by kind."""
    return tomllib.loads((TEMPLATES / "words" / f"{language}.toml").read_text("utf-8"))


def one_line(subject: str) -> str:
    """No header can be forged by what somebody wrote into a name."""
    plain = "".join(" " if unicodedata.category(c) in _UNSEEN else "" if c in _TURNS else c for c in subject)
    line = " ".join(plain.split())
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"


def _shared(told: Told, draft: Draft, language: str) -> dict[str, Any]:
    """What every template may use."""
    return {
        "language": language,
        "recipient": draft.to,
        "claim": _claim(told),
        "words": words(language),
    }


def _worded(told: Told, language: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a draft with their codes in words."""
    known = words(language)["reasons"]
    tell: dict[str, Callable[[Any], str]] = {
        "reasons": lambda reason: _reason(told, known, reason),
        "remove_workloads": lambda code: _item(told, code),
        "units": lambda unit: _unit(told, unit),
    }
    return {name: [tell[name](each) for each in value] if name in tell else value for name, value in facts.items()}


def _claim(told: Told) -> dict[str, Any]:
    row, form = told.row, told.row.form
    rules = policy(row.policy)
    role = rules.role_row(form.solution_area, form.partner_role)
    return {
        "id": row.claim_id,
        "ref": row.claim_ref,
        "name": form.claim_name,
        "status": rules.labels.statuses[row.status],
        "partner": told.partner.name if told.partner else row.partner_id,
        "location": form.location_id,
        "customer": told.customer.name if told.customer else form.domain or form.tenant_id,
        "tenant": form.tenant_id,
        "area": rules.labels.areas[form.solution_area],
        "role": role.label if role else form.partner_role.value,
        "products": [_item(told, code) for code in form.workloads],
        "subscription": row.shown_subscription,
        "exclusive_by_subscription": role is not None and role.unit == UnitKind.SUBSCRIPTION,
        "legacy": row.legacy,
    }


def _item(told: Told, code: str) -> str:
    catalogue = policy(told.row.policy).catalogue.get(told.row.form.solution_area, {})
    return catalogue.get(code, code)


def _unit(told: Told, unit: str) -> str:
    """`<tenant>/workload/teams` as Teams, `<tenant>/subscription/<id>` by its id."""
    kind, _, name = unit.partition("/")[2].partition("/")
    return _item(told, name) if kind == UnitKind.WORKLOAD else name


def _reason(told: Told, known: Mapping[str, str], reason: Reason) -> str:
    text = known.get(reason.code, reason.code)
    about = ", ".join(_item(told, code) for code in reason.workloads)
    return f"{text} ({about})" if about else text
