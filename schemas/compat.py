"""Whether everything that one version of a message may say is understood by a reader of another.

A writer writes no field its schema does not have; a reader ignores what it does not know. So a writer fits a reader
when each value that the first may write is one that the second takes, and when nothing that it says gets lost or comes
to mean something else. `gaps` compares two JSON Schemas and says where that does not hold: it never wrongly says that
they fit, and may find fault with two schemas that say the same in different words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Schema = Mapping[str, Any]

#: What says nothing about the values.
SILENT = frozenset({"$schema", "$defs", "title", "description", "default", "examples", "discriminator"})
_CHOICES = ("anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Gap:
    """`path` such as `documents[].sha256`, empty for the value as a whole; `why` ends a sentence about the writer."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A part of both schemas. `forgets`: the reader is the newer one, and must not lose what the older one knew."""

    writer: Schema
    reader: Schema
    writer_root: Schema
    reader_root: Schema
    path: str = ""
    forgets: bool = False
    seen: frozenset[tuple[str, str]] = frozenset()

    def part(self, writer: Schema, reader: Schema, step: str = "") -> Pair:
        return replace(self, writer=writer, reader=reader, path=self.path + step)

    def gap(self, why: str) -> Gap:
        return Gap(self.path.lstrip("."), why)


def gaps(writer: Schema, reader: Schema, *, reader_is_newer: bool) -> list[Gap]:
    """Where a value of `writer` is not understood by `reader`; none where all are.

    Raises ValueError for a keyword that is not known here: it would be compared with nothing.
    """
    return list(dict.fromkeys(_compared(Pair(writer, reader, writer, reader, forgets=reader_is_newer))))


def _compared(pair: Pair) -> Iterator[Gap]:
    refs = (str(pair.writer.get("$ref")), str(pair.reader.get("$ref")))
    if refs in pair.seen:
        return
    if "None" not in refs:
        pair = replace(pair, seen=pair.seen | {refs})
    takes = list(_choices(pair.reader, pair.reader_root))
    for writes in _choices(pair.writer, pair.writer_root):
        yield from _best([list(_alike(pair.part(writes, each))) for each in _same_type_first(writes, takes)])


def _choices(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The schemas of which a value fits one, each without `$ref` and choices."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        yield from _choices({**root["$defs"][name], **_without(schema, "$ref")}, root)
        return
    choice = next((each for each in _CHOICES if each in schema), None)
    if choice is None:
        _check_known(schema)
        yield schema
        return
    for each in schema[choice]:
        yield from _choices({**_without(schema, choice), **each}, root)


def _without(schema: Schema, keyword: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != keyword}


def _check_known(schema: Schema) -> None:
    unknown = schema.keys() - SILENT - _KNOWN
    if unknown:
        raise ValueError(
            f"keywords that are compared with nothing: {', '.join(sorted(unknown))}; see schemas/compat.py"
        )


def _same_type_first(writes: Schema, takes: list[Schema]) -> list[Schema]:
    return sorted(takes, key=lambda each: each.get("type") != writes.get("type"))


def _best(found: list[list[Gap]]) -> list[Gap]:
    """No gaps where one of the reader's choices takes the value; else those of the choice that is most like it."""
    return next((each for each in found if not each), found[0])


def _alike(pair: Pair) -> Iterator[Gap]:
    writes, takes = pair.writer, pair.reader
    why = _type(writes, takes)
    if why is not None:
        yield pair.gap(why)
        return
    values = _values(writes)
    if values is not None:
        yield from (
            pair.gap(f"may be {_shown(each)}, which is not taken") for each in values if not _takes(takes, each)
        )
        return
    yield from (pair.gap(why) for why in (rule(writes, takes) for rule in _RULES) if why is not None)
    yield from _fields(pair)
    if "items" in takes:
        yield from _compared(pair.part(writes.get("items", {}), takes["items"], "[]"))


# --- one value -------------------------------------------------------------------------------------------------------


def _type(writes: Schema, takes: Schema) -> str | None:
    kinds = (writes.get("type"), takes.get("type"))
    if kinds[1] in (None, kinds[0]) or kinds == ("integer", "number"):
        return None
    return f"may be {kinds[0] or 'of any type'}, where {kinds[1]} is read"


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _takes(schema: Schema, value: Any) -> bool:
    """Whether a reader takes one of the values that a writer lists."""
    values = _values(schema)
    if values is not None:
        return value in values
    if not isinstance(value, str):
        return not schema.keys() - SILENT - {"type"}
    long_enough = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return long_enough and "format" not in schema and re.search(schema.get("pattern", ""), value) is not None


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _listed(writes: Schema, takes: Schema) -> str | None:
    values = _values(takes)
    return None if values is None else f"may be anything, where only {', '.join(map(_shown, values))} is taken"


def _same(keyword: str, name: str) -> Callable[[Schema, Schema], str | None]:
    def rule(writes: Schema, takes: Schema) -> str | None:
        wanted, is_so = takes.get(keyword), writes.get(keyword)
        if wanted in (None, is_so):
            return None
        return f"has {_form(name, is_so)}, where {_form(name, wanted)} is read"

    return rule


def _form(name: str, value: Any) -> str:
    return f"no {name}" if value is None else f"the {name} {value}"


def _bound(keyword: str, least: bool) -> Callable[[Schema, Schema], str | None]:
    def rule(writes: Schema, takes: Schema) -> str | None:
        wanted, is_so = takes.get(keyword), writes.get(keyword, 0 if keyword in ("minLength", "minItems") else None)
        if wanted is None or (is_so is not None and (is_so >= wanted if least else is_so <= wanted)):
            return None
        return f"has {'no ' + keyword if is_so is None else f'{keyword} {is_so}'}, where {wanted} is the limit"

    return rule


#: Keywords of one value, each with what a reader's asks of a writer's.
_RULES: tuple[Callable[[Schema, Schema], str | None], ...] = (
    _listed,
    _same("pattern", "pattern"),
    _same("format", "format"),
    _same("uniqueItems", "uniqueItems"),
    *(_bound(each, least=True) for each in ("minLength", "minItems", "minimum", "exclusiveMinimum")),
    *(_bound(each, least=False) for each in ("maxLength", "maxItems", "maximum", "exclusiveMaximum")),
)
_KNOWN = frozenset(
    {"type", "enum", "const", "pattern", "format", "uniqueItems", "items", "properties", "required"}
    | {"additionalProperties", "minLength", "minItems", "minimum", "exclusiveMinimum"}
    | {"maxLength", "maxItems", "maximum", "exclusiveMaximum"}
)


# --- fields ----------------------------------------------------------------------------------------------------------


def _fields(pair: Pair) -> Iterator[Gap]:
    writes, takes = pair.writer.get("properties", {}), pair.reader.get("properties", {})
    always = set(pair.writer.get("required", ()))
    for name in pair.reader.get("required", ()):
        if name not in always:
            yield _at(pair, name, "may be left out, where it is required")
    for name, field in writes.items():
        if name in takes:
            yield from _field(pair, name, field, takes[name], name in always)
        elif pair.forgets:
            yield _at(pair, name, "is said, and no longer read")
    yield from _others(pair)


def _at(pair: Pair, name: str, why: str) -> Gap:
    return pair.part({}, {}, f".{name}").gap(why)


def _field(pair: Pair, name: str, writes: Schema, takes: Schema, always: bool) -> Iterator[Gap]:
    yield from _compared(pair.part(writes, takes, f".{name}"))
    meant, means = writes.get("default"), takes.get("default")
    if not always and meant != means:
        yield _at(pair, name, f"left out means {_shown(meant)}, and would be read as {_shown(means)}")


def _others(pair: Pair) -> Iterator[Gap]:
    """Fields of any name, such as those of a form to upload."""
    takes = pair.reader.get("additionalProperties")
    if not isinstance(takes, Mapping):
        return
    writes = pair.writer.get("additionalProperties")
    yield from _compared(pair.part(writes if isinstance(writes, Mapping) else {}, takes, ".*"))
