"""`python -m tools.doc_tables [--check]`: writes what in `docs/` follows from the code: tables and pictures.

A page holds `<!-- generated: name -->` and `<!-- end -->`; what stands between them is made here. `--check` changes
nothing and fails where a page or a picture is stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cpor.domain.vocabulary import Edition
from tools.book import code_tables, label_tables, mail_tables, message_tables, mutant_tables, rule_tables, trace_table
from tools.book.picture import picture

DOCS = Path(__file__).resolve().parent.parent / "docs"
SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

TABLES: Mapping[str, Callable[[], str]] = {
    each.__name__: each
    for each in (
        rule_tables.reasons,
        rule_tables.roles,
        rule_tables.editions,
        rule_tables.editing,
        rule_tables.transitions,
        rule_tables.steps,
        rule_tables.clocks,
        rule_tables.rules,
        rule_tables.decisions,
        rule_tables.permissions,
        code_tables.errors,
        mail_tables.mails,
        label_tables.labels,
        label_tables.catalogue,
        label_tables.incentives,
        trace_table.traceability,
        mutant_tables.mutant_scores,
        mutant_tables.mutants_accepted,
        message_tables.topics,
        message_tables.types,
    )
}


def rewritten(text: str) -> str:
    """The page with its tables as they should be. Raises KeyError for a table that nobody makes."""
    return SECTION.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


def made() -> dict[Path, str]:
    """Every page and picture as it should be."""
    pages = {page: rewritten(page.read_text("utf-8")) for page in sorted(DOCS.rglob("*.md"))}
    return pages | {DOCS / f"states-{edition.lower()}.svg": picture(edition) for edition in Edition}


def stale() -> dict[Path, str]:
    """What should be there and is not, or is otherwise."""
    return {path: text for path, text in made().items() if not path.exists() or path.read_text("utf-8") != text}


def main(arguments: Sequence[str]) -> int:
    check = "--check" in arguments
    wrong = stale()
    for path, text in wrong.items():
        print(f"{'stale' if check else 'written'}: {path.relative_to(DOCS.parent)}")
        if not check:
            path.write_text(text, "utf-8")
    return 1 if wrong and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
