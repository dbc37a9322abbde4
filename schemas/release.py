"""`python -m schemas.release VERSION`: keeps the messages as they are published with a version, and never again.

`released/<version>.json` holds each message's schema and example of that version. Whoever was built on it stays there
for as long as records of it lie on the topics, so what we have is compared with everything that was released: what the
old ones write we read, and what we write the old ones read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.compat import SILENT, Gap, Schema, gaps
from schemas.files import CORPUS, RELEASED, file_of, json_schema
from schemas.registry import MESSAGES

_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
#: Kept of what is otherwise silent: what a schema means by leaving a field out, and its parts.
_KEPT = frozenset({"$defs", "default"})


@dataclass(frozen=True, slots=True)
class Release:
    """The messages of a version by name: `schemas` as readers take them, `examples` as they were written."""

    version: str
    schemas: Mapping[str, Schema]
    examples: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """A pair of versions of a message that does not fit: what `writer` writes, `reader` would not understand."""

    message: str
    writer: str
    reader: str
    gap: Gap

    def __str__(self) -> str:
        field = f"`{self.gap.path}` " if self.gap.path else "the value "
        return (
            f"{self.message}: what {self.writer} writes, {self.reader} cannot read: {field}{self.gap.why}. "
            f"Leave {self.message} as it was, make {next_version(self.message)} of it with an up-caster "
            "(CONTRIBUTING.md, How a change is made, A message)."
        )


#: What the models say now, in a break's sentence.
NOW = "this version"


def next_version(name: str) -> str:
    """`cpor.claim.unpark.v1` → `cpor.claim.unpark.v2`."""
    stem, _, number = name.rpartition(".v")
    return f"{stem}.v{int(number) + 1}"


def current() -> Release:
    """What the models and the corpus say now."""
    schemas = {name: stripped(json_schema(spec)) for name, spec in MESSAGES.items()}
    return Release(NOW, schemas, {name: _example(name) for name in MESSAGES})


def _example(name: str) -> Any:
    return json.loads(file_of(CORPUS, name).read_text("utf-8"))["value"]


def stripped(schema: Any) -> Any:
    """Without words for people. A field may be called as a keyword is: in `properties` all names are kept."""
    if isinstance(schema, list):
        return [stripped(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _part(name, each) for name, each in schema.items() if name not in SILENT - _KEPT}


def _part(name: str, value: Any) -> Any:
    if name in ("properties", "$defs"):
        return {each: stripped(schema) for each, schema in value.items()}
    return value if name in ("default", "enum", "const", "required") else stripped(value)


def releases() -> list[Release]:
    """All that was released, the oldest first."""
    return sorted(map(_read, RELEASED.glob("*.json")), key=lambda each: [*map(int, each.version.split("."))])


def _read(path: Path) -> Release:
    kept = json.loads(path.read_text("utf-8"))
    return Release(
        path.stem,
        {name: each["schema"] for name, each in kept.items()},
        {name: each["example"] for name, each in kept.items()},
    )


def breaks(now: Release, old: Release) -> Iterator[Break]:
    """Every pair of the two versions that does not fit. A message that only one of them has breaks nothing new."""
    for name, was in old.schemas.items():
        if name not in now.schemas:
            yield Break(name, old.version, now.version, Gap("", "has no model any more"))
            continue
        told = gaps(was, now.schemas[name], reader_is_newer=True)
        yield from (Break(name, old.version, now.version, gap) for gap in told)
        told = gaps(now.schemas[name], was, reader_is_newer=False)
        yield from (Break(name, now.version, old.version, gap) for gap in told)


def all_breaks() -> list[str]:
    """A sentence for each, for `python -m schemas.generate --check`."""
    now = current()
    return [str(each) for old in releases() for each in breaks(now, old)]


def written(release: Release) -> str:
    """One line for each message."""
    lines = (
        f"{json.dumps(name)}: {json.dumps({'schema': schema, 'example': release.examples[name]}, ensure_ascii=False)}"
        for name, schema in release.schemas.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.release", description=__doc__)
    parser.add_argument("version", help="such as 0.2.0")
    version = parser.parse_args(None if arguments is None else list(arguments)).version
    path = RELEASED / f"{version}.json"
    if not _VERSION.fullmatch(version) or path.exists():
        print(f"{version} is no version, or was released: what was published stays as it was.", file=sys.stderr)
        return 1
    path.parent.mkdir(exist_ok=True)
    path.write_text(written(current()), encoding="utf-8")
    print(f"{len(MESSAGES)} messages kept as {version}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
