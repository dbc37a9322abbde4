"""Static members of a group on one fixed slots topic."""

from __future__ import annotations

import time

import pytest

from cpor.runtime.errors import Fenced
from tests.contract.transport.bench import PARTITIONS, Bench, eventually


def test_one_member_owns_every_slot(bench: Bench) -> None:
    assert bench.joined(bench.member()) == [frozenset(range(PARTITIONS))]


def test_two_members_split_the_slots_in_ranges_and_the_generation_grows(bench: Bench) -> None:
    first = bench.member("0")
    bench.joined(first)
    before = first.generation()
    second = bench.member("1")
    assert bench.joined(first, second) == [frozenset({0, 1}), frozenset({2, 3})]
    assert first.generation() > before
    assert first.generation() == second.generation()


def test_more_members_than_slots_leave_a_stand_by_without_any(bench: Bench) -> None:
    members = [bench.member(str(n)) for n in range(PARTITIONS + 1)]
    assert [len(slots) for slots in bench.joined(*members)] == [1, 1, 1, 1, 0]


def test_a_member_that_comes_back_under_its_name_keeps_its_slots_without_a_rebalance(bench: Bench) -> None:
    first, second = bench.member("0"), bench.member("1")
    bench.joined(first, second)
    generation = first.generation()
    second.close()
    again = bench.member("1")
    assert eventually(again.poll) == frozenset({2, 3})
    assert first.poll() == frozenset({0, 1})
    assert again.generation() == first.generation() == generation


def test_a_second_process_under_the_same_name_fences_the_first(bench: Bench) -> None:
    first = bench.member("0")
    bench.joined(first)
    second = bench.member("0")
    bench.joined(second)
    with pytest.raises(Fenced):
        eventually(lambda: first.poll() is not None and False)
    assert second.poll() == frozenset(range(PARTITIONS))


def test_the_slots_of_a_lost_member_go_to_the_others(bench: Bench) -> None:
    first, second = bench.member("0"), bench.member("1")
    bench.joined(first, second)
    bench.lose(first, "0")
    assert bench.joined(second) == [frozenset(range(PARTITIONS))]


def test_nothing_committed_is_none_not_zero(bench: Bench) -> None:
    member = bench.member()
    bench.joined(member)
    assert bench.positions(member, 0, 1) == [None, None]
    assert member.committed([]) == {}


def test_a_member_of_a_topic_just_made_settles_and_stays_settled(bench: Bench) -> None:
    """New metadata begins a second join: one that nobody waited for left the member in a rebalance for good."""
    member = bench.member()
    eventually(lambda: member.poll() is not None)
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        member.poll()
    eventually(lambda: member.poll() is not None, 5)
