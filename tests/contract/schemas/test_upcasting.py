"""Messages of an older version stay readable: lifted to the newest, they mean what they always meant."""

from __future__ import annotations

import json
import re
import uuid
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpor.domain.vocabulary import ActorKind, CommandName, TenantId
from cpor.ops.inbox import by_actor, to_inbox
from schemas.base import check, read
from schemas.envelope import read_envelope
from schemas.inside import UNPARK_V1, UNPARK_V2
from schemas.registry import MESSAGES
from schemas.release import next_version
from schemas.upcast import UP_CASTERS, lifted, newest, versions
from tests.contract.schemas.examples import example

OLDER = sorted(UP_CASTERS)


def test_each_newer_version_of_a_type_is_reached_by_an_up_caster() -> None:
    newer = {name for name in MESSAGES if not re.search(r"\.v1$", name)}
    assert newer == {each.newer for each in UP_CASTERS.values()}


@pytest.mark.parametrize("older", OLDER)
def test_an_up_caster_goes_one_version_up_and_both_have_a_model(older: str) -> None:
    assert UP_CASTERS[older].newer == next_version(older)
    assert {older, UP_CASTERS[older].newer} <= MESSAGES.keys()


@pytest.mark.parametrize("older", OLDER)
def test_the_example_of_an_older_version_is_lifted_to_what_the_newest_one_writes(older: str) -> None:
    shown = example(older).value
    kept = deepcopy(shown)
    check(MESSAGES[newest(older)].model, json.dumps(lifted(older, shown)))
    assert shown == kept, "an up-caster changes nothing of what it is given"


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_the_newest_version_is_taken_as_it_is(name: str) -> None:
    value = example(name).value
    assert name in UP_CASTERS or lifted(name, value) is value
    assert name in versions(name)


@given(
    claim=st.uuids(), letter=st.text(min_size=1, max_size=300), unknown=st.dictionaries(st.text(max_size=9), st.none())
)
def test_whatever_the_first_version_could_say_the_second_says(
    claim: uuid.UUID, letter: str, unknown: dict[str, Any]
) -> None:
    said = {**unknown, "claim_id": str(claim), "letter_id": letter}
    older = read(MESSAGES[UNPARK_V1].model, json.dumps(said))
    newer = check(MESSAGES[UNPARK_V2].model, json.dumps(lifted(UNPARK_V1, said)))
    assert newer.model_dump()["claim_id"] == older.model_dump()["claim_id"]
    assert newer.model_dump()["letters"] == (letter,)
    assert lifted(UNPARK_V2, newer.model_dump()) == newer.model_dump()


def test_a_value_of_no_type_is_not_lifted_to_one() -> None:
    with pytest.raises(KeyError):
        lifted(UNPARK_V1, {"claim_id": "c"})


def test_what_is_sent_from_a_desk_has_the_newest_version() -> None:
    told = by_actor(ActorKind.OPERATOR, "o-1", letters=["l-1", "l-2"])
    _, sent = to_inbox(CommandName.UNPARK, str(uuid.uuid4()), TenantId(str(uuid.uuid4())), told, "/operators/o-1", 0, 8)
    assert read_envelope(sent.headers).type == UNPARK_V2
    assert json.loads(sent.value or b"")["letters"] == ["l-1", "l-2"]
