"""What is kept of the mutants is about code that is there."""

from __future__ import annotations

from tools.mutants.book import WHOLE, Accepted, accepted, modules, path_of, scores


def test_scores_are_of_modules_that_are_there() -> None:
    assert set(scores()) <= set(modules())


def test_each_accepted_mutant_is_of_lines_that_are_there_and_has_a_reason() -> None:
    assert [each for each in accepted() if not (each.reason and stands(each))] == []


def test_a_row_of_the_list_is_about_one_mutant_or_about_a_whole_function() -> None:
    one = Accepted("units", "overlap", "a < b", "a <= b", "why")
    assert one.covers("units", "overlap", "a < b", "a <= b")
    assert not one.covers("units", "overlap", "a < b", "a > b")
    assert Accepted("units", "overlap", WHOLE, WHOLE, "why").covers("units", "overlap", "c", "d")


def stands(row: Accepted) -> bool:
    source = path_of(row.module).read_text("utf-8")
    there = row.was == WHOLE or row.was in " ".join(line.strip() for line in source.splitlines())
    return there and f"def {row.function.rpartition('.')[2]}(" in source
