"""Golden examples: what was once published stays readable, and says what the models say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, Instant, PartnerId
from schemas import generate
from schemas.base import check, read, write
from schemas.envelope import headers, is_message_id, read_envelope
from schemas.registry import MESSAGES
from tests.contract.schemas.examples import NAMES, example

WITHOUT_SUBJECT = ("reference",)
#: What operators did to no claim.
ABOUT_NO_CLAIM = ("cpor.audit.partner_added.v1", "cpor.audit.reference_loaded.v1")
IN_OTHERS_HEADERS = ("dead_letters",)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_exactly_what_its_writer_may_write(name: str) -> None:
    shown = example(name)
    check(shown.spec.model, shown.bytes)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_comes_back_unchanged_when_it_is_read_and_written(name: str) -> None:
    shown = example(name)
    assert json.loads(write(check(shown.spec.model, shown.bytes))) == shown.value
    normal = write(check(shown.spec.model, shown.bytes))
    assert write(check(shown.spec.model, normal)) == normal


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_ignores_a_field_it_does_not_know_at_any_depth(name: str) -> None:
    shown = example(name)
    newer = json.dumps(_with_unknown_field(shown.value))
    assert read(shown.spec.model, newer) == check(shown.spec.model, shown.bytes)


@pytest.mark.parametrize("name", NAMES)
def test_a_writer_is_refused_a_field_nobody_knows(name: str) -> None:
    shown = example(name)
    with pytest.raises(ValidationError, match="not_yet_known"):
        check(shown.spec.model, json.dumps({**shown.value, "not_yet_known": 1}))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_carries_the_headers_of_its_kind(name: str) -> None:
    shown = example(name)
    envelope = read_envelope((key, value.encode()) for key, value in shown.headers.items())
    assert envelope.specversion == "1.0"
    assert envelope.type == shown.spec.ce_type or shown.spec.family in IN_OTHERS_HEADERS
    if shown.spec.family == "partner_commands":
        assert is_message_id(envelope.id)
        return
    assert shown.headers["content-type"] == "application/json"
    assert envelope.source is not None
    assert envelope.source.startswith("/")
    assert envelope.at is not None
    assert (envelope.subject is None) == (shown.spec.family in WITHOUT_SUBJECT or name in ABOUT_NO_CLAIM)


@pytest.mark.parametrize("name", [name for name in NAMES if example(name).spec.family == "claim_events"])
def test_an_events_id_and_sequence_follow_the_recipe(name: str) -> None:
    shown = example(name)
    envelope = read_envelope((key, value.encode()) for key, value in shown.headers.items())
    assert envelope.sequence == shown.value["sequence"]
    assert envelope.id == ids.event_id(ClaimId(shown.value["claim_id"]), shown.value["sequence"])
    if "claim_ref" in shown.value:
        claim = ids.claim_id(PartnerId(shown.value["partner_id"]), shown.value["claim_ref"])
        assert shown.value["claim_id"] == claim


def test_generated_files_are_up_to_date_and_every_type_has_an_example() -> None:
    assert generate.problems() == []


def test_the_check_finds_a_stale_file_a_missing_example_and_an_orphan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for place, name in (("HERE", ""), ("JSON", "json"), ("CORPUS", "corpus")):
        monkeypatch.setattr(generate, place, tmp_path / name)
    assert generate.main([]) == 0
    for name in MESSAGES:
        example_path = tmp_path / "corpus" / f"{name}.json"
        example_path.parent.mkdir(parents=True, exist_ok=True)
        example_path.write_text("{}")
    assert generate.main(["--check"]) == 0
    (tmp_path / "json" / "cpor.receipt.v1.json").write_text("{}")
    (tmp_path / "asyncapi.yaml").write_text("{}")
    (tmp_path / "corpus" / "cpor.update.v1.json").unlink()
    (tmp_path / "corpus" / "cpor.unheard-of.v1.json").write_text("{}")
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[:4] == [
        "example of no type: corpus/cpor.unheard-of.v1.json",
        "no golden example: corpus/cpor.update.v1.json",
        "stale: asyncapi.yaml",
        "stale: json/cpor.receipt.v1.json",
    ]


def test_written_headers_read_back_as_they_were_given() -> None:
    made = headers(
        "cpor.claim.drafted.v1", "e-1", "/services/review", Instant(1_709_283_600_412), "c-1", "m-0", "m-0", 7,
        extra=[("cpor_origin", b"t-1-2"), ("cpor_received_at", b"2024-03-01T09:00:00.000Z"), ("x-new", b"\xff")],
    )  # fmt: skip
    envelope = read_envelope(made)
    assert (envelope.type, envelope.id, envelope.subject) == ("cpor.claim.drafted.v1", "e-1", "c-1")
    assert (envelope.sequence, envelope.at) == (7, 1_709_283_600_412)
    assert (envelope.causation, envelope.correlation, envelope.origin) == ("m-0", "m-0", "t-1-2")
    assert envelope.received_at == 1_709_283_600_000


@pytest.mark.parametrize("value", [b"\xff", b"", b"-1", b"1e3", b"9" * 40, "٣".encode(), None])
def test_headers_of_no_use_are_none_and_never_an_error(value: bytes | None) -> None:
    envelope = read_envelope([(name, value) for name in ("ce_sequence", "ce_time", "cpor_received_at", "ce_id")])
    assert (envelope.sequence, envelope.at, envelope.received_at) == (None, None, None)


def _with_unknown_field(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{key: _with_unknown_field(each) for key, each in value.items() if key != "fields"}, "zz_new": [1]} | (
            {"fields": value["fields"]} if "fields" in value else {}
        )
    if isinstance(value, list):
        return [_with_unknown_field(each) for each in value]
    return value
