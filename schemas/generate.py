"""`python -m schemas.generate [--check]`: writes `json/<type>.json` and `asyncapi.yaml`, or says which files are stale.

`--check` also fails where a type has no golden example in `corpus/`, or an example no type (examples are never
deleted), and where a message no longer fits what was released: see `schemas/release.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.asyncapi import document
from schemas.files import CORPUS, HERE, JSON, file_of, json_schema
from schemas.registry import MESSAGES
from schemas.release import all_breaks
from schemas.yaml_text import yaml_text


def wanted() -> dict[Path, str]:
    """Every generated file and its content."""
    made = {file_of(JSON, spec.name): _text(json_schema(spec)) for spec in MESSAGES.values()}
    return {**made, HERE / "asyncapi.yaml": yaml_text(document())}


def _text(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write_all() -> int:
    """Writes what differs and removes what no type asks for; the number of files touched."""
    files = wanted()
    stale = _stale(files)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    extra = _present(JSON) - files.keys()
    for path in extra:
        path.unlink()
    return len(stale) + len(extra)


def problems() -> list[str]:
    """What `--check` has to say, empty when all is well."""
    files = wanted()
    found = [f"stale: {_short(path)}" for path in _stale(files)]
    found += [f"of no type: {_short(path)}" for path in _present(JSON) - files.keys()]
    examples = {file_of(CORPUS, name) for name in MESSAGES}
    found += [f"no golden example: {_short(path)}" for path in examples - _present(CORPUS)]
    found += [f"example of no type: {_short(path)}" for path in _present(CORPUS) - examples]
    return sorted(found)


def _stale(files: dict[Path, str]) -> list[Path]:
    return [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def _present(folder: Path) -> set[Path]:
    return set(folder.rglob("*.json"))


def _short(path: Path) -> str:
    return path.relative_to(HERE).as_posix()


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something is stale or missing")
    if not parser.parse_args(None if arguments is None else list(arguments)).check:
        print(f"{write_all()} files written or removed.")
        return 0
    found, broken = problems(), all_breaks()
    for line in (*found, *broken):
        print(line, file=sys.stderr)
    if found:
        print("Run `python -m schemas.generate` and commit the result.", file=sys.stderr)
    return 1 if found or broken else 0


if __name__ == "__main__":
    sys.exit(main())
