"""What can be chosen for a claim: the catalogue of an edition, with what a wrong role costs (R8, R10, R11, D13)."""

from __future__ import annotations

import json

import pytest

from cpor.domain.policy import policy
from cpor.domain.vocabulary import Edition, SolutionArea
from cpor.ops.catalogue import WARNING
from cpor.ops.errors import Exit
from cpor.ops.main import cli, run


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(lambda: cli(list(words))) == Exit.DONE
    return capsys.readouterr().out


@pytest.mark.rule("R8", "R10", "R11", "D13", edition="both")
@pytest.mark.parametrize("edition", Edition)
def test_the_catalogue_is_that_of_the_editions_data(edition: Edition, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, "catalogue", "list", "--edition", edition, "--json"))
    rules = policy(edition)
    assert {each["area"]: {item["code"]: item["name"] for item in each["workloads"]} for each in told["areas"]} == {
        area: dict(items) for area, items in rules.catalogue.items()
    }
    roles = {(each["area"], role["role"]): role for each in told["areas"] for role in each["roles"]}
    assert {key: role["payable"] for key, role in roles.items()} == {
        (row.area, row.role): row.role in rules.incentives.payable_roles for row in rules.roles
    }
    assert all(role["meaning"] and role["engagement"] for role in roles.values())
    assert "never changes" in told["warning"]


def test_a_role_that_was_paid_in_2020_is_shown_as_no_longer_paid_in_2023(capsys: pytest.CaptureFixture[str]) -> None:
    paid = {}
    for edition in Edition:
        told = json.loads(said(capsys, "catalogue", "list", "--edition", edition, "--json"))
        paid[edition] = {role["role"]: role["payable"] for each in told["areas"] for role in each["roles"]}
    assert [paid[edition]["usage_recognition"] for edition in Edition] == [True, False]


def test_one_area_can_be_asked_for_and_the_warning_is_always_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "catalogue", "list", "--edition", "p2023", "--area", SolutionArea.BUSINESS_APPLICATIONS)
    assert "power_bi" in told
    assert "teams" not in told
    assert WARNING[:40] in told


@pytest.mark.parametrize("words", [("--edition", "P1999"), ("--edition", "P2023", "--area", "games"), ()])
def test_an_edition_or_area_that_does_not_exist_is_a_wrong_use(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: cli(["catalogue", "list", *words])) == Exit.USAGE
    assert "--" in capsys.readouterr().err
