"""Whether tests and rules know each other (docs/traceability.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.rulebook import BOTH, BadMarker, Proof, faults, proofs, rules


def proof(rule: str, edition: str) -> Proof:
    return Proof(rule, edition, "tests/test_x.py", "test_x")


def everything(*, but: str) -> list[Proof]:
    return [proof(number, "both") for number in rules() if number != but]


def test_every_rule_has_a_test_in_each_edition_that_has_it_and_no_marker_names_another() -> None:
    assert faults(proofs()) == []


def test_a_marker_names_an_edition_that_has_the_rule() -> None:
    foreign = [
        f"{each.file}, {each.test}: {each.rule} is none of {each.edition}"
        for each in proofs()
        if each.edition != BOTH and each.edition not in rules()[each.rule].editions
    ]
    assert foreign == []


def test_a_rule_needs_a_test_in_each_edition_that_has_it() -> None:
    found = [*everything(but="D4"), proof("D4", "P2023")]
    assert [fault.partition(":")[0] for fault in faults(found)] == ["D4 has no test in P2020"]
    assert faults([*found, proof("D4", "P2020")]) == []


def test_a_rule_of_one_edition_needs_no_test_in_the_other() -> None:
    assert faults([*everything(but="T13"), proof("T13", "P2023")]) == []


@pytest.mark.parametrize("wrong", [proof("R55", "both"), proof("R1", "P2021")])
def test_a_marker_that_names_what_does_not_exist_is_found(wrong: Proof) -> None:
    assert len(faults([*everything(but=""), wrong])) == 1


def test_markers_are_read_from_the_tests_without_running_them(tmp_path: Path) -> None:
    text = '@pytest.mark.rule("R1", "D2", edition="P2020")\n@other\ndef test_it(): ...\n\ndef test_no(): ...\n'
    (tmp_path / "test_a.py").write_text(text)
    found = proofs(tmp_path)
    assert [(each.rule, each.edition, each.test) for each in found] == [
        ("R1", "P2020", "test_it"),
        ("D2", "P2020", "test_it"),
    ]


def test_a_marker_that_cannot_be_read_without_running_the_test_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("@pytest.mark.rule(NAME)\ndef test_it(): ...\n")
    with pytest.raises(BadMarker, match="test_it"):
        proofs(tmp_path)
