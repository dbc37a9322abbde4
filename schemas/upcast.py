"""Messages of an older version, lifted to the newest when they are read: a reader knows one version of each type.

A version is never taken away: records of it lie on the topics for as long as these are kept, and who sends it is not
told to stop. An up-caster is a pure function of the value; envelope, key and place stay as they are. Writers write the
newest version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.inside import UNPARK_V1, UNPARK_V2

Value = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UpCaster:
    """From one version of a type (its `ce_type`) to the next; `lift` takes what the older model takes."""

    older: str
    newer: str
    lift: Callable[[Value], Value]


def _unpark(value: Value) -> Value:
    """One letter, dealt with by nobody in particular, which the history told as intake's doing."""
    return {
        "claim_id": value["claim_id"],
        "actor": {"kind": "system", "id": "intake"},
        "letters": [value["letter_id"]],
    }


UP_CASTERS: Mapping[str, UpCaster] = {each.older: each for each in (UpCaster(UNPARK_V1, UNPARK_V2, _unpark),)}


def newest(ce_type: str) -> str:
    """The version that is written; the type itself where there is only one."""
    while ce_type in UP_CASTERS:
        ce_type = UP_CASTERS[ce_type].newer
    return ce_type


def versions(ce_type: str) -> frozenset[str]:
    """All types that are read as the same one."""
    last = newest(ce_type)
    return frozenset({last, *(older for older in UP_CASTERS if newest(older) == last)})


def lifted(ce_type: str, value: Value) -> Value:
    """The value as the newest version says it. Raises KeyError or TypeError where it is none of its type."""
    while ce_type in UP_CASTERS:
        caster = UP_CASTERS[ce_type]
        ce_type, value = caster.newer, caster.lift(value)
    return value
