"""The fields of a message in words, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.fields import BLANKABLE, LINE, MEANINGS, TEXT

Schema = Mapping[str, Any]

_KINDS = {"string": "text", "integer": "a whole number", "boolean": "true or false", "object": "an object"}
_PATTERNS = MEANINGS | {LINE: "one line of text", TEXT: "text, not blank", BLANKABLE: "text"}
_FORMATS = {"date": "a date such as 2024-03-01", "date-time": "an instant, RFC 3339 in UTC"}


@dataclass(frozen=True, slots=True)
class Field:
    """`path` such as `documents[].sha256`; `form`: what a value is; `words`: what the schema says of it."""

    path: str
    form: str
    required: bool
    words: str


def fields_of(schema: Schema) -> list[Field]:
    """Of the value and of its parts, each after the field that holds it."""
    return [*_fields(schema, schema, "")]


def _fields(schema: Schema, root: Schema, before: str) -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        found, nullable = _resolved(each, root)
        path = before + name
        yield Field(path, _form(found, root, nullable), name in needed, str(each.get("description", "")))
        yield from _parts(found, root, path)


def _parts(schema: Schema, root: Schema, path: str) -> Iterator[Field]:
    if "items" in schema:
        item, _ = _resolved(schema["items"], root)
        yield from _fields(item, root, f"{path}[].")
    yield from _fields(schema, root, f"{path}.")


def _resolved(schema: Schema, root: Schema) -> tuple[Schema, bool]:
    """Without references and choices; whether it may be null."""
    if "$ref" in schema:
        return root["$defs"][schema["$ref"].rpartition("/")[2]], False
    choices = schema.get("anyOf", ())
    if not choices:
        return schema, False
    kinds = [each for each in choices if each.get("type") != "null"]
    return _resolved(kinds[0], root)[0], len(kinds) < len(choices)


def _form(schema: Schema, root: Schema, nullable: bool = False) -> str:
    return _plain(schema, root) + (", or null" if nullable else "")


def _plain(schema: Schema, root: Schema) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return _list(schema, root)
    kind = str(schema.get("type", ""))
    words = _FORMATS.get(schema.get("format", "")) or _PATTERNS.get(schema.get("pattern", "")) or _KINDS.get(kind, kind)
    most = schema.get("maxLength")
    return words if most is None else f"{words}; up to {most:,} characters"


def _list(schema: Schema, root: Schema) -> str:
    item, _ = _resolved(schema["items"], root)
    kind = _plain(item, root)
    many = "objects" if kind == _KINDS["object"] else f"each {kind}"
    bounds = [f"at least {schema['minItems']}"] if "minItems" in schema else []
    bounds += [f"at most {schema['maxItems']}"] if "maxItems" in schema else []
    return ", ".join(["a list", *bounds]) + f": {many}"
