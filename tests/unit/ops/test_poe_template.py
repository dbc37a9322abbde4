"""The template of the proof of execution: four parts, in five languages, filled in from a claim (R26, R27, D11)."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document

from cpor.devstack.endpoints import Endpoints
from cpor.domain.model import ClaimState
from cpor.domain.policy import policy
from cpor.domain.vocabulary import Edition, PartnerRole
from cpor.ops.book import Claim
from cpor.ops.errors import Exit
from cpor.ops.errors import Refused as CommandRefused
from cpor.ops.instance import Instance
from cpor.ops.main import cli, run
from cpor.ops.poe.command import from_claim
from cpor.ops.poe.content import USAGE_ROLES, Content, blank, of_claim
from cpor.ops.poe.document import template_docx
from cpor.ops.poe.words import LANGUAGES, language_of, words_in
from cpor.runtime.transport.memory import MemoryTransport
from schemas.reference import Customer
from services.intake.poe.verdict import Refused
from tests.unit.domain.claims import SUBSCRIPTION, TENANT, partner
from tests.unit.domain.rules.editions import advisor, usage, world_of
from tests.unit.intake.poe.documents import DOCX, judge
from tests.unit.review.pipeline import Pipeline, usage_form


def lines(content: Content, language: str = "en") -> list[str]:
    """Every paragraph and every cell of the document, in order of their kind."""
    document = Document(io.BytesIO(template_docx(content, language)))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return [each.text for each in document.paragraphs] + cells


def headings(content: Content, language: str = "en") -> list[str]:
    document = Document(io.BytesIO(template_docx(content, language)))
    return [each.text for each in document.paragraphs if each.style and each.style.name == "Heading 1"]


def customer(country: str) -> Customer:
    return Customer(kind="customer", tenant_id=TENANT, name="Contoso", domains=("contoso.example",), country=country)


def content_of(state: ClaimState, *, country: str = "JP", inside: bool = True) -> Content:
    return of_claim(Claim(state, "Contoso", inside), partner("P-1"), customer(country))


@pytest.mark.rule("R27")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_four_parts_in_their_order(language: str) -> None:
    words = words_in(language)
    parts = (words.parties.heading, words.acknowledgement.heading, words.work.heading, words.usage.heading)
    assert headings(blank(), language) == [f"{n}   {heading}" for n, heading in enumerate(parts, start=1)]


@pytest.mark.rule("R27", "R26", edition="both")
@pytest.mark.parametrize("edition", Edition)
def test_a_claim_fills_in_what_must_equal_the_claim(edition: Edition) -> None:
    state = world_of(edition).filed("c", form=usage(edition, domain="contoso.example"))
    told = lines(content_of(state))
    assert len(headings(content_of(state))) == 4
    names = [policy(edition).catalogue[state.form.solution_area][code] for code in state.form.workloads]
    wanted = ["P-1", "Contoso", TENANT, "contoso.example", state.form.location_id, "Kana Ito", "CIO", *names]
    assert [each for each in wanted if each not in told] == []
    assert any("P-1 did the work" in each and "for Contoso" in each for each in told)


@pytest.mark.rule("R27")
@pytest.mark.parametrize("role", PartnerRole)
def test_only_claims_of_usage_are_asked_how_use_was_driven(role: PartnerRole) -> None:
    words = words_in("en")
    part = words.usage if role in USAGE_ROLES else words.products
    assert headings(blank(role))[3] == f"4   {part.heading}"
    assert words.usage.columns[2] in lines(blank(role)) or role not in USAGE_ROLES


@pytest.mark.rule("R27", edition="both")
@pytest.mark.parametrize("edition", Edition)
@pytest.mark.parametrize(("country", "asked"), [("US", True), ("PR", True), ("JP", False)])
def test_only_customers_in_the_united_states_and_puerto_rico_disclose_their_sector(
    edition: Edition, country: str, asked: bool
) -> None:
    state = world_of(edition).filed("c", form=usage(edition))
    assert (words_in("en").parties.disclosure in lines(content_of(state, country=country))) is asked


@pytest.mark.rule("D11", edition="P2020")
def test_2020_a_subscription_that_was_filled_in_stays_hidden_on_the_partners_template() -> None:
    state = world_of(Edition.P2020).filed("c", form=advisor(Edition.P2020, subscription_id=None))
    assert state.form.subscription_id == SUBSCRIPTION
    seen = "\n".join(lines(content_of(state, inside=False)))
    assert f"…{SUBSCRIPTION[-4:]}" in seen
    assert SUBSCRIPTION not in seen
    assert SUBSCRIPTION in lines(content_of(state))


@pytest.mark.rule("R26", edition="both")
@pytest.mark.parametrize("edition", Edition)
def test_the_customer_is_told_how_old_its_signature_may_be(edition: Edition) -> None:
    months = policy(edition).documents.max_signature_age_months
    assert any(f"{months} months" in each for each in lines(replace(blank(), rules=policy(edition))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_is_a_document_that_intake_takes_and_always_the_same_bytes(language: str) -> None:
    made = template_docx(blank(PartnerRole.USE_OR_CONSUME), language)
    assert made == template_docx(blank(PartnerRole.USE_OR_CONSUME), language)
    assert not isinstance(judge(made, DOCX), Refused)


def test_letters_that_no_document_takes_do_no_harm() -> None:
    assert "Acme " in lines(replace(blank(), partner="Acme\x00 "))


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"), ("de-AT", "de"), ("pt_BR", "pt"), ("ja-JP", "ja"), ("zh-TW", "zh-Hant"), ("zh-HK", "zh-Hant"),
        ("zh-Hant", "zh-Hant"), ("zh-Hant-MO", "zh-Hant"), ("zh-CN", None), ("fr", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_language_tag_finds_the_language_we_have_for_it(tag: str | None, language: str | None) -> None:
    assert language_of(tag) == language


# -- the command ------------------------------------------------------------------------------------------------------


def test_an_empty_template_needs_no_instance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "poe.docx"
    words = ["poe", "template", "--role", "use_or_consume", "--language", "ja", "-o", str(file)]
    assert run(lambda: cli(words)) == Exit.DONE
    assert "ja, use_or_consume" in capsys.readouterr().out
    assert headings(blank(PartnerRole.USE_OR_CONSUME), "ja")[0] in [p.text for p in Document(str(file)).paragraphs]
    assert [each.name for each in tmp_path.iterdir()] == ["poe.docx"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--role", "reseller"], "--role can be build_intent_advisor"),
        (["--language", "fr"], "--language can be en, de, ja, pt, zh-Hant"),
        (["-o", "poe.pdf"], "-o takes a .docx file"),
    ],
)
def test_what_cannot_be_made_is_a_wrong_use_that_names_what_can(
    words: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["poe", "template", "-o", str(tmp_path / "a.docx"), *words]
    assert run(lambda: cli(asked)) == Exit.USAGE
    assert named in " ".join(capsys.readouterr().err.split())


def test_a_file_that_cannot_be_written_is_refused_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: cli(["poe", "template", "-o", str(tmp_path / "nowhere" / "a.docx")])) == Exit.REFUSED
    assert "cannot be written" in capsys.readouterr().err


# -- from a claim of an instance --------------------------------------------------------------------------------------


def instance_of(stage: Pipeline) -> Instance:
    """An instance whose topics are those of the stage's broker."""
    found = Instance(Endpoints("h:1", "http://h.example", "a", "b", Path()))
    found.__dict__["transport"] = MemoryTransport(stage.broker)
    return found


@pytest.mark.rule("R27")
def test_a_claim_of_an_instance_is_found_with_its_partner_its_customer_and_the_customers_language() -> None:
    stage = Pipeline()
    contact = {"name": "Kana Ito", "title": "CIO", "email": "kana@contoso.example", "language": "ja"}
    stage.file(form=usage_form(customer_contact=contact))
    content, language = from_claim(instance_of(stage), "c", None, None)
    assert (content.partner, content.customer, language) == ("Partner P-1", "Contoso", "ja")
    assert content.workloads == ("Teams", "Intune")
    assert not content.disclosure
    assert from_claim(instance_of(stage), "c", "P-1", "u-uwe") == (content, language)


@pytest.mark.rule("D30")
def test_a_partner_gets_no_template_of_a_claim_that_is_not_its_own() -> None:
    stage = Pipeline()
    stage.file()
    with pytest.raises(CommandRefused, match="claim_unknown"):
        from_claim(instance_of(stage), "c", "P-2", "u-uwe")
