"""What the record of a unit says (R48, D4, D10)."""

from __future__ import annotations

from cpor.domain.associations import associations_after
from tests.unit.domain.claims import World, usage_form


def test_the_record_of_a_workload_is_about_that_workload_alone() -> None:
    claim = World().approved(form=usage_form("teams", "intune"))
    records = [associations_after(unit, [claim]) for unit in claim.units]
    assert [each.products for each in records if each] == [("teams",), ("intune",)]
