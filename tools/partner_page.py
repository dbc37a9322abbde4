"""`python -m tools.partner_page [--check]`: writes `docs/partners.html`, or says that it is stale.

One page for whoever connects a partner's system, made of the schemas, the examples, the tables of the domain and the
words in `tools.partner_words`. It needs nothing from anywhere: no script, no font, no address.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from cpor.domain.permissions import PERMISSIONS
from cpor.domain.policy import policy
from cpor.domain.transitions import BEGINNINGS, TRANSITIONS
from cpor.domain.vocabulary import PARTNER_COMMANDS, Code, CommandName, Edition, UserRole
from schemas.asyncapi import VERSION
from schemas.files import CORPUS, file_of, json_schema
from schemas.receipts import RECEIPT
from schemas.registry import MESSAGES
from schemas.updates import UPDATE
from tools.partner_fields import Field, fields_of
from tools.partner_words import ALWAYS, ANSWERS, COMMANDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "partners.html"
TEMPLATE = Path(__file__).with_name("partner_page.html")
EDITIONS = tuple(Edition)
#: Numbers of rules mean nothing outside.
RULE = re.compile(r" \((contract|domain|[DRT]\d)[^)]*\)")
#: Of fields that their schema says nothing about.
WORDS = {
    "partner_id": "May be left out; the topic says it.",
    "claim_ref": "The record's key.",
    "incentive_opt_out": "Modern Work only.",
    "revenue": "With Influenced revenue only, and then all of it.",
    "engagement": "An id or alias; has to fit area and role.",
    "covers": "Workloads that the document proves; none is all.",
    "language": "Else that of the customer's record, else English.",
}


def page() -> str:
    parts = {
        "version": VERSION,
        "menu": _menu(),
        "commands": "\n".join(map(_command, PARTNER_COMMANDS)),
        "receipt": _message(RECEIPT),
        "update": _message(UPDATE),
        "always": _chips(ALWAYS),
        "answers": _answers(),
    }
    text = TEMPLATE.read_text("utf-8")
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    return text


def _menu() -> str:
    return "\n".join(f'<li><a href="#{name}">{_short(name)}</a></li>' for name in PARTNER_COMMANDS)


def _short(name: str) -> str:
    return escape(name.removeprefix("cpor.").removesuffix(".v1"))


def _code(text: object) -> str:
    return f"<code>{escape(str(text))}</code>"


def _command(name: CommandName) -> str:
    told = COMMANDS[name]
    leads = told.leads if told.leads == "the same" else _code(told.leads)
    facts = [*_when(name), ("Leads to", leads), ("Who may", _who(name))]
    listed = "".join(f"<dt>{what}</dt><dd>{said}</dd>" for what, said in facts)
    return (
        f'<section class="command" id="{name}">\n<h3>{_code(name)}</h3>\n<p>{escape(told.what)}</p>\n'
        f"<dl>{listed}</dl>\n{_message(name)}\n"
        "<h4>Answers</h4>\n<p>Beside <a href='#always'>those of every message</a>:</p>\n"
        f"{_chips(told.codes)}\n</section>"
    )


def _when(name: CommandName) -> list[tuple[str, str]]:
    """In which status of the claim, by edition where they differ."""
    if name in BEGINNINGS:
        return [("Possible", "where no claim has the reference")]
    row = next(each for each in TRANSITIONS if each.command == name)
    statuses = {edition: ", ".join(map(_code, row.where(policy(edition)))) for edition in EDITIONS}
    if len(set(statuses.values())) == 1:
        return [("Possible in", statuses[EDITIONS[0]])]
    return [(f"Possible in, {edition}", said or "never") for edition, said in statuses.items()]


def _who(name: CommandName) -> str:
    row = PERMISSIONS[name]
    later = "" if row.later == row.on_draft or name in BEGINNINGS else f"; later {_roles(row.later)}"
    return f"{_roles(row.on_draft)}{' on a draft' if later else ''}{later}"


def _roles(roles: Iterable[UserRole]) -> str:
    return ", ".join(map(_code, roles))


def _message(name: str) -> str:
    """Fields and example of a message."""
    shown = json.loads(file_of(CORPUS, name).read_text("utf-8"))
    rows = "\n".join(map(_row, fields_of(json_schema(MESSAGES[name]))))
    return (
        "<h4>Fields</h4>\n<div class='wide'><table class='fields'><thead><tr><th>field</th><th></th><th>a value is</th>"
        f"</tr></thead><tbody>\n{rows}\n</tbody></table></div>\n"
        f"<details><summary>Example</summary>\n<pre>{escape(_example(shown))}</pre></details>"
    )


def _row(field: Field) -> str:
    need = "<b>required</b>" if field.required else "optional"
    said = RULE.sub("", field.words) or WORDS.get(field.path, "")
    words = f"<small>{_marked(said)}</small>" if said else ""
    steps = escape(field.path).replace(".", ".<wbr>").replace("_", "_<wbr>")
    return f"<tr><td><code>{steps}</code></td><td>{need}</td><td>{escape(field.form)}{words}</td></tr>"


def _marked(words: str) -> str:
    """Text between back quotes as code."""
    pieces = escape(words).split("`")
    return "".join(f"<code>{each}</code>" if n % 2 else each for n, each in enumerate(pieces))


def _example(shown: dict[str, object]) -> str:
    headers = shown["headers"]
    assert isinstance(headers, dict)
    lines = [f"key: {shown['key']}", *(f"{name}: {text}" for name, text in headers.items())]
    return "\n".join(lines) + "\n\n" + json.dumps(shown["value"], indent=2, ensure_ascii=False)


def _chips(codes: Iterable[Code]) -> str:
    items = "".join(f'<li><a href="#code-{code}">{code}</a></li>' for code in dict.fromkeys(codes))
    return f'<ul class="chips">{items}</ul>'


def _answers() -> str:
    return "\n".join(
        f'<tr id="code-{code}"><td><code>{str(code).replace("_", "_<wbr>")}</code></td>'
        f"<td>{escape(answer.means)}</td><td>{escape(answer.do)}</td></tr>"
        for code, answer in ANSWERS.items()
    )


def main(arguments: Sequence[str]) -> int:
    made = page()
    stale = not PAGE.exists() or PAGE.read_text("utf-8") != made
    if stale and "--check" not in arguments:
        PAGE.write_text(made, "utf-8")
    if stale:
        print(f"{'stale' if '--check' in arguments else 'written'}: docs/{PAGE.name}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
