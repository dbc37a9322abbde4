"""What people read for a code, by the claim's edition (D31)."""

from __future__ import annotations

import json

import pytest

from cpor.domain.vocabulary import Edition, Status
from cpor.ops import screen
from cpor.ops.book import Claim
from cpor.ops.claims import show_list
from cpor.ops.columns import COLUMNS
from cpor.ops.labels import with_label
from cpor.ops.queue import queue_of
from cpor.ops.review import queue_row
from cpor.ops.sheet import claim_sheet
from tests.unit.domain.rules.editions import standing

CODED = ["status", "area", "role", "engagement"]


def claim(edition: Edition, status: Status) -> Claim:
    return Claim(standing(edition, status).claim("c"), "Contoso")


def said(capsys: pytest.CaptureFixture[str], shown: object) -> str:
    screen.out().print(shown)
    return " ".join(capsys.readouterr().out.split())


def listed(capsys: pytest.CaptureFixture[str], shown: Claim, *, as_json: bool = False) -> str:
    show_list([shown], CODED, of=1, as_json=as_json)
    return capsys.readouterr().out


@pytest.mark.rule("D31", edition="P2020")
def test_a_list_shows_the_labels_of_2020_beside_the_codes(capsys: pytest.CaptureFixture[str]) -> None:
    told = listed(capsys, claim(Edition.P2020, Status.DISPUTED))
    assert "disputed (Under review)" in told
    assert "modern_work_security (Microsoft 365)" in told
    assert "use_or_consume (Usage)" in told
    assert "draft (Editing)" in listed(capsys, claim(Edition.P2020, Status.DRAFT))


@pytest.mark.rule("D31", edition="P2023")
def test_a_list_shows_a_code_alone_where_its_label_says_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    told = listed(capsys, claim(Edition.P2023, Status.DRAFT))
    assert "draft (" not in told
    assert "use_or_consume (" not in told


@pytest.mark.rule("D31", edition="both")
@pytest.mark.parametrize("edition", Edition)
def test_machines_are_given_codes_in_every_edition(edition: Edition, capsys: pytest.CaptureFixture[str]) -> None:
    (told,) = json.loads(listed(capsys, claim(edition, Status.DISPUTED), as_json=True))
    codes = ["disputed", "modern_work_security", "use_or_consume", "modern_work_security_usage"]
    assert list(told.values()) == codes
    assert [COLUMNS[name].json(claim(edition, Status.DISPUTED)) for name in CODED] == codes


@pytest.mark.rule("D31", edition="both")
@pytest.mark.parametrize(
    ("edition", "words"),
    [
        (Edition.P2020, ["Under review (disputed, P2020)", "(Microsoft 365)", "use_or_consume (Usage)"]),
        (Edition.P2023, ["Dispute (disputed, P2023)", "(Modern Work and Security)", "use_or_consume"]),
    ],
)
def test_a_claims_page_and_the_reviewers_queue_speak_its_edition(
    edition: Edition, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = claim(edition, Status.DISPUTED)
    told = said(capsys, claim_sheet(shown))
    assert [each for each in words if each not in told] == []
    (waiting,) = queue_of([shown], shown.state.origin.created_at)
    cells = [str(each) for each in queue_row(waiting)]
    label = "Under review" if edition is Edition.P2020 else "Dispute"
    assert f"disputed ({label})" in cells


@pytest.mark.parametrize(
    ("code", "label", "shown"),
    [
        ("hr", "Human Resources", "hr (Human Resources)"),
        ("usage_recognition", "Usage", "usage_recognition (Usage)"),
        ("build_intent_advisor", "Build intent - Advisor", "build_intent_advisor"),
        ("exchange", "Exchange Online", "exchange"),
    ],
)
def test_a_label_stands_beside_its_code_where_nobody_would_guess_it(code: str, label: str, shown: str) -> None:
    assert with_label(code, label) == shown
