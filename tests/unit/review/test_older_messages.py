"""Review reads every version of a command, in any mixture, and decides the same (contract §2)."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpor.domain import ids
from cpor.domain.model import Actor, ClaimState
from cpor.domain.vocabulary import ActorKind, Instant, PartnerId
from cpor.domain.vocabulary import CommandName as C
from schemas.envelope import headers
from schemas.inside import UNPARK_V1, UNPARK_V2
from tests.unit.review.pipeline import Pipeline

CLAIM = ids.claim_id(PartnerId("P-1"), "c")
LETTERS = ("of-intake", "of-review", "third", "fourth")
OPERATOR = {"kind": "operator", "id": "o-mira"}


@pytest.fixture(scope="module")
def parked() -> Pipeline:
    """A claim that waits behind four letters, again and again."""
    pipeline = Pipeline()
    pipeline.file()
    return pipeline


def say(pipeline: Pipeline, ce_type: str, **value: object) -> None:
    pipeline.sent += 1
    told = headers(ce_type, ids.name_id(f"old/{pipeline.sent}"), "/operators/o-mira", Instant(0), CLAIM)
    pipeline.append(json.dumps({"claim_id": CLAIM, **value}).encode(), told)
    pipeline.run()


def unpark(pipeline: Pipeline, letters: tuple[str, ...], newer: bool) -> None:
    if newer:
        say(pipeline, UNPARK_V2, actor=OPERATOR, letters=letters)
        return
    for letter in letters:
        say(pipeline, UNPARK_V1, letter_id=letter)


def settled(state: ClaimState) -> ClaimState:
    return replace(state, sequence=0, last_blocking_sequence=0)


@settings(max_examples=12, deadline=None)
@given(
    order=st.permutations(LETTERS),
    cuts=st.sets(st.integers(1, 3)),
    newer=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_a_log_of_both_versions_folds_to_what_either_alone_folds_to(
    parked: Pipeline, order: list[str], cuts: set[int], newer: list[bool]
) -> None:
    before = parked.claim()
    for letter in LETTERS:
        parked.inside("c", C.PARK, letter_id=letter)
    assert parked.claim().letters == LETTERS
    already = len(parked.events())
    groups = [tuple(order[start:end]) for start, end in pairwise([0, *sorted(cuts), len(order)])]
    for group, new in zip(groups, newer, strict=False):
        unpark(parked, group, new)
    told = parked.events()[already:]
    assert [each.NAME for each in told] == ["unparked"] * len(LETTERS)
    assert settled(parked.claim()) == settled(before)


def test_the_history_names_who_dealt_with_a_letter_where_the_message_does() -> None:
    pipeline = Pipeline()
    pipeline.file()
    for letter in LETTERS:
        pipeline.inside("c", C.PARK, letter_id=letter)
    unpark(pipeline, LETTERS[:1], newer=False)
    unpark(pipeline, LETTERS[1:], newer=True)
    actors = [each.actor for each in pipeline.events() if each.NAME == "unparked"]
    assert actors == [Actor(ActorKind.SYSTEM, "intake"), *[Actor(ActorKind.OPERATOR, "o-mira")] * 3]


@pytest.mark.parametrize("newer", [False, True])
def test_a_parked_claim_is_unparked_by_either_version(newer: bool) -> None:
    """Neither waits behind the letter it is about."""
    pipeline = Pipeline()
    pipeline.file()
    pipeline.append(b"{", headers(C.REVIEW_START, "m-1", "/reviewers/r-1", Instant(0), CLAIM))
    pipeline.run()
    assert pipeline.claim().parked
    unpark(pipeline, pipeline.claim().letters, newer)
    assert not pipeline.claim().parked


@pytest.mark.parametrize(("ce_type", "value"), [(UNPARK_V1, {"letter_id": 5}), (UNPARK_V1, {}), (UNPARK_V2, {})])
def test_a_malformed_message_of_either_version_is_a_dead_letter(ce_type: str, value: dict[str, object]) -> None:
    pipeline = Pipeline()
    pipeline.file()
    say(pipeline, ce_type, **value)
    (letter,) = pipeline.letters()
    assert dict(letter.headers)["dlq_reason"] == b"malformed_command"
