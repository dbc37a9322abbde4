"""JSON values as YAML for people: blocks, and quotes only where YAML would take a text for something else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Letters first, and nothing that means anything in YAML.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*")
#: What some reader of YAML takes for a truth value, nothing, or a number.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
#: What YAML wants escaped, beside what JSON does.
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def yaml_text(value: Mapping[str, Any]) -> str:
    """Reads back as the same value, but for fractions, of which there are none; the order of the keys is kept."""
    return "".join(f"{line}\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Any]) -> Iterator[str]:
    for key, each in value.items():
        yield from _item(f"{_scalar(key)}:", each)


def _item(head: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping | list | tuple) or not value:
        yield f"{head} {_scalar(value)}"
        return
    yield head
    yield from (f"  {line}" for line in _block(value))


def _block(value: Mapping[str, Any] | Sequence[Any]) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _mapping(value)
        return
    for each in value:
        first, *rest = _block(each) if isinstance(each, Mapping | list | tuple) and each else [_scalar(each)]
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
