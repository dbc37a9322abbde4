"""Old and new writers and readers understand each other: all four pairs, for every message and every release."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import generate, release
from schemas.base import read
from schemas.compat import Gap, gaps
from schemas.registry import MESSAGES
from schemas.release import Break, Release, all_breaks, breaks, current, next_version, releases
from tests.contract.schemas.examples import example

NOW = current()
OLD = releases()
NAMES = sorted(NOW.schemas)


def versions(name: str) -> list[Release]:
    return [each for each in (*OLD, NOW) if name in each.schemas]


@pytest.mark.parametrize("name", NAMES)
def test_what_each_version_wrote_every_version_reads(name: str) -> None:
    """Old and new writer with old and new reader, by the examples, seen by a validator that is not ours."""
    known = versions(name)
    wrong = {
        (writer.version, reader.version): [each.message for each in _validator(reader, name).iter_errors(value)]
        for writer in known
        for reader in known
        if (value := writer.examples[name]) is not None
    }
    assert {pair: told for pair, told in wrong.items() if told} == {}


def _validator(reader: Release, name: str) -> Draft202012Validator:
    return Draft202012Validator(reader.schemas[name])


@pytest.mark.parametrize("name", NAMES)
def test_the_models_read_whatever_was_released(name: str) -> None:
    for old in versions(name):
        read(MESSAGES[name].model, json.dumps(old.examples[name]))


def test_every_pair_of_versions_fits() -> None:
    assert OLD, "nothing was released"
    assert all_breaks() == []


@pytest.mark.parametrize("name", NAMES)
def test_every_writer_fits_its_own_reader(name: str) -> None:
    for each in versions(name):
        assert gaps(each.schemas[name], each.schemas[name], reader_is_newer=True) == []


def test_examples_that_were_released_stay_as_they_are() -> None:
    """The corpus grows by new types; what stands in it was on the wire."""
    changed = {name for old in OLD for name, value in old.examples.items() if value != example(name).value}
    assert changed == set()


# --- planted changes -------------------------------------------------------------------------------------------------

TEXT = {"type": "string"}
PLAIN: dict[str, Any] = {
    "$defs": {
        "Kind": {"type": "string", "enum": ["one", "two"]},
        "Part": {
            "type": "object",
            "properties": {"id": {"type": "string", "pattern": "^[a-z]+$"}, "kind": {"$ref": "#/$defs/Kind"}},
            "required": ["id"],
        },
        "Tree": {"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}},
    },
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40, "minLength": 1},
        "size": {"type": "integer", "minimum": 0, "maximum": 99},
        "at": {"type": "string", "format": "date-time"},
        "sort": {"const": "plain", "type": "string"},
        "kind": {"$ref": "#/$defs/Kind"},
        "part": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}], "default": None},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "maxItems": 5},
        "form": {"type": "object", "additionalProperties": {"type": "string"}},
        "tree": {"$ref": "#/$defs/Tree"},
        "flag": {"type": "boolean", "default": False},
    },
    "required": ["name", "size", "at", "sort", "kind", "parts"],
}

Change = Callable[[dict[str, Any]], object]
OLD_TO_NEW, NEW_TO_OLD = ("0.1.0", "this version"), ("this version", "0.1.0")


def field(name: str, **keywords: Any) -> Change:
    return lambda schema: schema["properties"][name].update(keywords)


def part(name: str, **keywords: Any) -> Change:
    return lambda schema: schema["$defs"]["Part"]["properties"][name].update(keywords)


def new_field(name: str, schema: dict[str, Any], *, required: bool = False) -> Change:
    def change(whole: dict[str, Any]) -> None:
        whole["properties"][name] = schema
        whole["required"] += [name] * required

    return change


def without(keyword: str, name: str) -> Change:
    return lambda schema: schema["properties"][name].pop(keyword)


#: What was changed; which pair breaks, of which field, and why. A change that breaks both pairs stands twice.
PLANTED: tuple[tuple[str, Change, tuple[str, str], str, str], ...] = (
    ("a value more", lambda s: s["$defs"]["Kind"]["enum"].append("three"), NEW_TO_OLD, "kind", 'may be "three"'),
    ("a value less", lambda s: s["$defs"]["Kind"]["enum"].remove("two"), OLD_TO_NEW, "kind", 'may be "two"'),
    ("a value more, nested", lambda s: s["$defs"]["Kind"]["enum"].append("z"), NEW_TO_OLD, "parts[].kind", '"z"'),
    ("values closed", field("name", enum=["a", "b"]), OLD_TO_NEW, "name", 'only "a", "b"'),
    ("values opened", lambda s: s["$defs"]["Kind"].pop("enum"), NEW_TO_OLD, "kind", "may be anything"),
    ("another constant", field("sort", const="fancy"), OLD_TO_NEW, "sort", 'may be "plain"'),
    ("another constant", field("sort", const="fancy"), NEW_TO_OLD, "sort", 'may be "fancy"'),
    ("no constant", without("const", "sort"), NEW_TO_OLD, "sort", 'only "plain"'),
    ("a format", field("name", format="date"), OLD_TO_NEW, "name", "no format, where the format date"),
    ("another format", field("at", format="date"), OLD_TO_NEW, "at", "the format date-time, where the format date"),
    ("another format", field("at", format="date"), NEW_TO_OLD, "at", "the format date, where the format date-time"),
    ("no format", without("format", "at"), NEW_TO_OLD, "at", "no format"),
    ("another pattern", part("id", pattern="^[A-Z]+$"), OLD_TO_NEW, "part.id", "the pattern"),
    ("another pattern", part("id", pattern="^[A-Z]+$"), NEW_TO_OLD, "parts[].id", "the pattern"),
    ("another type", field("size", type="string"), OLD_TO_NEW, "size", "may be integer, where string is read"),
    ("another type", field("size", type="string"), NEW_TO_OLD, "size", "may be string, where integer is read"),
    ("a wider number", field("size", type="number"), NEW_TO_OLD, "size", "may be number, where integer is read"),
    ("shorter", field("name", maxLength=20), OLD_TO_NEW, "name", "maxLength 40, where 20"),
    ("longer", field("name", maxLength=60), NEW_TO_OLD, "name", "maxLength 60, where 40"),
    ("no limit", without("maxLength", "name"), NEW_TO_OLD, "name", "no maxLength, where 40"),
    ("may be empty", field("name", minLength=0), NEW_TO_OLD, "name", "minLength 0, where 1"),
    ("a higher least", field("size", minimum=1), OLD_TO_NEW, "size", "minimum 0, where 1"),
    ("a higher most", field("size", maximum=100), NEW_TO_OLD, "size", "maximum 100, where 99"),
    ("more parts", field("parts", maxItems=9), NEW_TO_OLD, "parts", "maxItems 9, where 5"),
    ("at least one part", field("parts", minItems=1), OLD_TO_NEW, "parts", "minItems 0, where 1"),
    ("each part once", field("parts", uniqueItems=True), OLD_TO_NEW, "parts", "uniqueItems"),
    ("a new field that is required", new_field("more", TEXT, required=True), OLD_TO_NEW, "more", "may be left out"),
    ("now required", lambda s: s["required"].append("part"), OLD_TO_NEW, "part", "may be left out"),
    ("no longer required", lambda s: s["required"].remove("at"), NEW_TO_OLD, "at", "may be left out"),
    ("required in a part", lambda s: s["$defs"]["Part"]["required"].append("kind"), OLD_TO_NEW, "parts[].kind", "left"),
    ("a field less", lambda s: s["properties"].pop("flag"), OLD_TO_NEW, "flag", "no longer read"),
    ("a field less in a part", lambda s: s["$defs"]["Part"]["properties"].pop("kind"), OLD_TO_NEW, "part.kind", "no l"),
    ("may be null", field("name", anyOf=[TEXT, {"type": "null"}], type=None), NEW_TO_OLD, "name", "null"),
    ("never null", field("part", anyOf=[{"$ref": "#/$defs/Part"}]), OLD_TO_NEW, "part", "may be null"),
    ("other values of a map", field("form", additionalProperties={"type": "integer"}), OLD_TO_NEW, "form.*", "string"),
    ("other values of a map", field("form", additionalProperties={"type": "integer"}), NEW_TO_OLD, "form.*", "integer"),
    ("any values of a map", field("form", additionalProperties={}), NEW_TO_OLD, "form.*", "any type"),
    ("another meaning of nothing", field("flag", default=True), OLD_TO_NEW, "flag", "left out means false"),
    ("another meaning of nothing", field("flag", default=True), NEW_TO_OLD, "flag", "left out means true"),
)

#: What may be done without a new version.
HARMLESS: tuple[tuple[str, Change], ...] = (
    ("nothing", lambda schema: None),
    ("a new field that may be left out", new_field("more", {**TEXT, "default": None})),
    ("words", field("name", description="What it is called.", title="Name", examples=["a"])),
    ("another name of a part", lambda s: s["$defs"].update(Renamed=s["$defs"]["Tree"])),
)


def found(change: Change) -> list[Break]:
    new = deepcopy(PLAIN)
    change(new)
    old = Release("0.1.0", {"cpor.plain.v1": PLAIN}, {})
    return list(breaks(Release(release.NOW, {"cpor.plain.v1": _tidy(new)}, {}), old))


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Without keywords that a change took away by None."""
    fields = {
        name: {keyword: value for keyword, value in each.items() if value is not None or keyword == "default"}
        for name, each in schema["properties"].items()
    }
    return {**schema, "properties": fields}


@pytest.mark.parametrize(
    ("change", "pair", "path", "why"), [row[1:] for row in PLANTED], ids=[f"{row[0]}: {row[3]}" for row in PLANTED]
)
def test_a_change_that_breaks_a_pair_is_found_with_its_pair_and_field(
    change: Change, pair: tuple[str, str], path: str, why: str
) -> None:
    told = [each for each in found(change) if (each.writer, each.reader, each.gap.path) == (*pair, path)]
    assert told, f"not found, but {[str(each) for each in found(change)]}"
    assert why in told[0].gap.why


ONE_PAIR = [row for row in PLANTED if sum(row[0] == other[0] for other in PLANTED) == 1]


@pytest.mark.parametrize(("change", "pair"), [row[1:3] for row in ONE_PAIR], ids=[row[0] for row in ONE_PAIR])
def test_no_other_pair_is_blamed_for_a_change(change: Change, pair: tuple[str, str]) -> None:
    assert {(each.writer, each.reader) for each in found(change)} == {pair}


@pytest.mark.parametrize("change", [row[1] for row in HARMLESS], ids=[row[0] for row in HARMLESS])
def test_what_may_be_added_breaks_nothing(change: Change) -> None:
    assert found(change) == []


def test_a_message_that_is_gone_is_a_break() -> None:
    old = Release("0.1.0", {"cpor.plain.v1": PLAIN}, {})
    (told,) = breaks(Release(release.NOW, {}, {}), old)
    assert told.gap == Gap("", "has no model any more")


def test_a_keyword_that_is_compared_with_nothing_stops_the_check() -> None:
    with pytest.raises(ValueError, match="multipleOf"):
        found(field("size", multipleOf=5))


def test_a_break_says_in_a_sentence_which_pair_and_field_and_what_to_do() -> None:
    (told,) = (each for each in found(PLANTED[0][1]) if each.gap.path == "kind")
    assert str(told) == (
        'cpor.plain.v1: what this version writes, 0.1.0 cannot read: `kind` may be "three", which is not taken. '
        "Leave cpor.plain.v1 as it was, make cpor.plain.v2 of it with an up-caster "
        "(CONTRIBUTING.md, How a change is made, A message)."
    )


def test_the_next_version_of_a_type_counts_on() -> None:
    assert next_version("inbox/cpor.claim.create.v9") == "inbox/cpor.claim.create.v10"


@pytest.mark.parametrize(("path", "keyword"), [("errors[].code", "enum"), ("received_at", "format")])
def test_the_check_of_ci_fails_with_the_sentence_when_a_message_of_ours_no_longer_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str, keyword: str
) -> None:
    schemas = deepcopy(dict(NOW.schemas))
    whole = schemas["cpor.receipt.v1"]
    if keyword == "enum":
        whole["$defs"]["Code"]["enum"].remove("accepted")
    else:
        whole["properties"]["received_at"]["format"] = "date"
    (tmp_path / "0.0.9.json").write_text(release.written(Release("0.0.9", schemas, NOW.examples)))
    monkeypatch.setattr(release, "RELEASED", tmp_path)
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert f"cpor.receipt.v1: what this version writes, 0.0.9 cannot read: `{path}`" in told
    assert "python -m schemas.generate" not in told


def test_a_version_is_released_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "RELEASED", tmp_path)
    assert release.main(["0.2.0"]) == 0
    (kept,) = releases()
    assert (kept.version, kept.schemas, kept.examples) == ("0.2.0", NOW.schemas, NOW.examples)
    assert release.main(["0.2.0"]) == 1
    assert release.main(["../0.3.0"]) == 1
    assert "was released" in capsys.readouterr().err
