"""Claims as a file: what the list shows, safe to open in a spreadsheet, whole or not there (R53, contract §7)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpor.domain.vocabulary import Status
from cpor.ops.book import Claim
from cpor.ops.columns import COLUMNS
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.export import CONTROLS, FORMULA, Format, cell, format_of, lines_of, write_lines
from tests.unit.domain.claims import in_status


def claim(name: str = "Teams roll-out", customer: str = "Contoso") -> Claim:
    state = in_status(Status.SUBMITTED).claim("c")
    return Claim(replace(state, form=replace(state.form, claim_name=name)), customer)


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("risky", ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "\n1", "  =1", "＝1", "＠x"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(risky: str) -> None:
    assert cell(risky) == f"'{risky}"


@pytest.mark.parametrize("between", [";", "; ", "\n", "\t", ';"'])
def test_a_formula_behind_what_another_country_puts_between_cells_is_text(between: str) -> None:
    assert cell(f"Teams{between}=1+1") == f"Teams{between}'=1+1"


@given(st.text(st.one_of(st.sampled_from(';,"\n =+'), st.characters())))
def test_no_text_leaves_as_a_formula_and_harmless_text_is_left_alone(text: str) -> None:
    shown = cell(text)
    assert not shown.startswith((*FORMULA, *CONTROLS))
    assert not any(each.strip('" ').startswith(FORMULA) for each in re.split(r"[;\t\r\n]", shown)[1:])
    assert shown.replace("'", "") == text.replace("'", "")
    assert shown == text or text.startswith(CONTROLS) or any(each in text for each in FORMULA)


@pytest.mark.rule("R53")
def test_names_in_any_script_quotes_and_commas_come_back_as_they_were() -> None:
    names = {"claim_name": 'Teams, "全社"\n展開', "customer_name": "株式会社コントソ"}
    text = "".join(lines_of([claim(*names.values())], list(names), Format.CSV))
    assert read_csv(text) == [names]


def test_csv_for_excel_begins_with_the_mark_of_utf_8() -> None:
    (head,) = lines_of([], ["status", "due"], Format.CSV, excel=True)
    assert head.encode() == b"\xef\xbb\xbfstatus,due\r\n"
    (head,) = lines_of([], ["status", "due"], Format.CSV)
    assert head.encode() == b"status,due\r\n"


@pytest.mark.rule("R53")
def test_ndjson_holds_the_values_of_the_list_one_claim_a_line() -> None:
    seen = claim("=1+1")
    lines = list(lines_of([seen, seen], list(COLUMNS), Format.NDJSON))
    assert [json.loads(line) for line in lines] == [{name: row.json(seen) for name, row in COLUMNS.items()}] * 2
    assert json.loads(lines[0])["claim_name"] == "=1+1"


@pytest.mark.parametrize(
    ("given_format", "output", "found"),
    [
        (None, None, Format.CSV),
        (None, Path("x.NDJSON"), Format.NDJSON),
        (None, Path("x.jsonl"), Format.NDJSON),
        (None, Path("x.txt"), Format.CSV),
        (Format.NDJSON, Path("x.csv"), Format.NDJSON),
    ],
)
def test_the_format_is_that_asked_for_or_that_of_the_files_ending(
    given_format: Format | None, output: Path | None, found: Format
) -> None:
    assert format_of(given_format, output, excel=False) is found


def test_the_mark_for_excel_has_no_place_in_ndjson() -> None:
    with pytest.raises(WrongUse, match="--excel"):
        format_of(Format.NDJSON, None, excel=True)


def test_a_file_that_was_there_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield "half"
        raise KeyboardInterrupt

    path = tmp_path / "claims.csv"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_lines(broken(), path)
    assert [each.name for each in tmp_path.iterdir()] == ["claims.csv"]
    assert path.read_text() == "before"
    write_lines(iter(["one\r\n", "two\r\n"]), path)
    assert path.read_bytes() == b"one\r\ntwo\r\n"
    assert [each.name for each in tmp_path.iterdir()] == ["claims.csv"]


def test_a_link_keeps_leading_to_the_file_that_is_written(tmp_path: Path) -> None:
    path, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(path)
    write_lines(["x"], link)
    assert link.is_symlink()
    assert path.read_text() == "x"


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    for output in (tmp_path, tmp_path / "none" / "claims.csv"):
        with pytest.raises(WrongUse, match="-o takes a file"):
            write_lines(["x"], output)
    with pytest.raises(Refused, match="cannot be written"):
        write_lines(["x"], tmp_path / ("x" * 300))


def test_without_a_file_the_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_lines(["a\n"], None)
    assert capsys.readouterr().out == "a\n"
