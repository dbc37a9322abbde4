"""A draft and its claim become subject, text and HTML: jinja2 in its sandbox, with StrictUndefined, escaped where it is
HTML.

Three files a mail and language: `templates/<mail>/<language>/{subject.txt,body.txt,body.html}`, whole sentences as
somebody who writes that language puts them. What all mails share stands once in `templates/shared`, its words and those
for codes in the catalogues of `cpor.words`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import FileSystemLoader, StrictUndefined, Template, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import escape

from cpor.domain.model import Reason
from cpor.domain.policy import UnitKind, policy
from cpor.domain.units import covered_workloads
from cpor.words import ENGLISH, Speech, chain, speak
from cpor.words.codes import ALL, REASONS
from schemas.mail import Recipient
from services.notify.claim import ClaimRow
from services.notify.drafts import Address, Draft, Told
from services.notify.foreign import Foreign, cut, lines

TEMPLATES = Path(__file__).parent / "templates"
PARTS = ("subject.txt", "body.txt", "body.html")
#: What a subject should have at most, characters: names in a longer one are shortened.
SUBJECT = 78
#: What of a claim others have named, and how much of it is left at least; by its reference people look for the claim.
SHORTEST = {"partner": 12, "customer": 12, "name": 12, "ref": 16}
#: What a subject may have at most: where names are not what makes it long, it is cut.
LONGEST_SUBJECT = 180
#: Columns of plain text where words have gaps between them; Japanese and Chinese lines are left to the reader's window.
COLUMNS = 78
#: Fonts that systems have; without those of the language some mail programs take one that was made for another.
_SANS = ("-apple-system", "'Segoe UI'", "Roboto", "Helvetica", "Arial", "sans-serif")
_FONTS = {
    "ja": ("'Hiragino Sans'", "'Yu Gothic UI'", "Meiryo", "'Noto Sans CJK JP'"),
    "zh-Hant": ("'PingFang TC'", "'Microsoft JhengHei'", "'Noto Sans CJK TC'"),
}
_GAPS = re.compile(r"\n{3,}")


class Rendered(NamedTuple):
    """`chain`: the languages that were tried, the mail's own last."""

    subject: str
    text: str
    html: str
    chain: tuple[str, ...]

    @property
    def language(self) -> str:
        return self.chain[-1]


def render(told: Told, draft: Draft) -> Rendered:
    """Raises jinja2.UndefinedError where a template asks for what it was not given: a fault of ours."""
    tried = spoken(draft.kind.value, draft.to.language)
    speech = speak(tried[-1])
    facts = _shared(told, draft, speech) | _worded(told, speech, draft.facts)
    made = environment(speech.language)
    subject, text, html = (made.get_template(f"{draft.kind.value}/{speech.language}/{part}") for part in PARTS)
    return Rendered(_subject(subject, facts), wrapped(text.render(facts), speech.language), html.render(facts), tried)


@cache
def environment(language: str = ENGLISH) -> SandboxedEnvironment:
    """Escapes in `.html`, nowhere else."""
    speech = speak(language)
    made = SandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals |= {"language": language, "say": _saying(speech), "words": _words(speech)} | marks(language)
    made.globals["fonts"] = ", ".join((*_FONTS.get(language, ()), *_SANS))
    # Both ask the value for something: a fact that is missing fails here.
    made.filters |= {"day": lambda day: speech.day(day.replace()), "exact": lambda at: speech.exact(at.replace())}
    made.filters["listed"] = speech.listed
    return made


def _saying(speech: Speech) -> Callable[..., str]:
    """As `Speech.say`; in HTML its values are escaped, and names isolated, before they are put in."""

    @pass_eval_context
    def say(context: EvalContext, kind: str, english: str, /, **values: object) -> str:
        if not context.autoescape:
            return speech.say(kind, english, **values)
        text = escape(speech.say(kind, english))
        return text % values if values else text

    return say


def marks(language: str) -> dict[str, str]:
    """What stands between two sentences, and between a name and its value."""
    gap = speak(language).gap
    return {"gap": gap, "colon": ": " if gap else "："}


def _words(speech: Speech) -> dict[str, dict[str, str]]:
    """Words for codes, by kind: `words.clock.partner_answer`."""
    return {codes.kind: {code: speech.of(codes, code) for code in codes.english} for codes in ALL}


@cache
def spoken(mail: str, wanted: str | None) -> tuple[str, ...]:
    """The languages that are tried for a mail, as far as it exists in them; what is spoken is the last."""
    tried = chain(wanted)
    return tried if (TEMPLATES / mail / tried[-1]).is_dir() else (*tried, ENGLISH)


def _subject(template: Template, facts: dict[str, Any]) -> str:
    """Its longest names are shortened until it fits, as far as they can be."""
    line, claim = " ".join(template.render(facts).split()), dict(facts["claim"])
    while len(line) > SUBJECT and (name := _longest(line, claim)):
        claim[name] = claim[name].cut(max(SHORTEST[name], len(claim[name].plain) - (len(line) - SUBJECT)))
        line = " ".join(template.render(facts | {"claim": claim}).split())
    return line if len(line) <= LONGEST_SUBJECT else cut(line, LONGEST_SUBJECT)


def _longest(line: str, claim: Mapping[str, Any]) -> str | None:
    """Which of the names in the line can be shortened most; the reference comes last."""
    spare = {name: len(claim[name].plain) - least for name, least in SHORTEST.items() if claim[name] in line}
    found = (name for name, more in spare.items() if more > 0)
    return max(found, key=lambda name: (name != "ref", spare[name]), default=None)


def wrapped(text: str, language: str) -> str:
    """A paragraph is one line in the templates; no more than one empty line between two."""
    lines = _GAPS.sub("\n\n", text.strip()).split("\n")
    return "\n".join(_wrapped(lines) if speak(language).gap else lines) + "\n"


def _wrapped(lines: Iterable[str]) -> Iterator[str]:
    """Lists and quotations keep their margin; commands, which are indented, stay on one line, and so do links."""
    for line in lines:
        if line.startswith("  ") or len(line) <= COLUMNS:
            yield line
            continue
        margin = line[:2] if line[:2] in ("- ", "> ") else ""
        further = "> " if margin == "> " else " " * len(margin)
        yield from textwrap.wrap(
            line, COLUMNS, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
        )


def _shared(told: Told, draft: Draft, speech: Speech) -> dict[str, Any]:
    """What every template may use, beside what `environment` has."""
    return {"recipient": draft.to._replace(name=_name(draft.to, speech)), "claim": _claim(told, speech)}


def _name(to: Address, speech: Speech) -> Foreign:
    """Who looks after the system is greeted by what they are."""
    return Foreign(speech.say("mail", "Operations") if to.recipient == Recipient.OPERATIONS else to.name)


def _worded(told: Told, speech: Speech, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a draft with their codes in words, and a comment as it may be shown: what people wrote as they wrote
    it, what the system says by itself in the mail's language.
    """
    if comment := facts.get("comment"):
        facts = {**facts, "comment": lines(speech.say("comment", comment))}
    tell: dict[str, Callable[[Any], str]] = {
        "reasons": lambda reason: _reason(told, speech, reason),
        "remove_workloads": lambda code: _item(told, speech, code),
        "units": lambda unit: _unit(told, speech, unit),
    }
    return {name: [tell[name](each) for each in value] if name in tell else value for name, value in facts.items()}


def _claim(told: Told, speech: Speech) -> dict[str, Any]:
    row, form = told.row, told.row.form
    rules = policy(row.policy)
    role = rules.role_row(form.solution_area, form.partner_role)
    return {
        "id": row.claim_id,
        "ref": Foreign(row.claim_ref),
        "name": Foreign(form.claim_name),
        "status": speech.say("status", rules.labels.statuses[row.status]),
        "partner": Foreign(told.partner_name),
        "location": form.location_id,
        "customer": Foreign(told.customer_name),
        "tenant": form.tenant_id,
        "area": speech.say("area", rules.labels.areas[form.solution_area]),
        "role": speech.say("role", role.label) if role else form.partner_role.value,
        "products": [_item(told, speech, code) for code in _covered(row)],
        "subscription": row.shown_subscription,
        "exclusive_by_subscription": role is not None and role.unit == UnitKind.SUBSCRIPTION,
        "legacy": row.legacy,
    }


def _covered(row: ClaimRow) -> tuple[str, ...]:
    """R48, D17: an association that lost workloads to another claim is not told of as if it had them still."""
    return covered_workloads(row.form.tenant_id, row.form.workloads, row.units)


def _item(told: Told, speech: Speech, code: str) -> str:
    return speech.say("product", policy(told.row.policy).item_name(told.row.form.solution_area, code))


def _unit(told: Told, speech: Speech, unit: str) -> str:
    """`<tenant>/workload/teams` as Teams, `<tenant>/subscription/<id>` by its id."""
    kind, _, name = unit.partition("/")[2].partition("/")
    return _item(told, speech, name) if kind == UnitKind.WORKLOAD else name


def _reason(told: Told, speech: Speech, reason: Reason) -> str:
    text = speech.of(REASONS, reason.code)
    about = speech.listed(_item(told, speech, code) for code in reason.workloads)
    return speech.say("mail", "%(reason)s (%(products)s)", reason=text, products=about) if about else text
