"""What the mails say, and that nothing anybody writes into a claim can change what they are."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from cpor.domain.vocabulary import Edition, InformationReason, RejectionReason
from cpor.words.codes import REASONS
from schemas.mail import MailKind
from services.notify.dates import deadline
from services.notify.drafts import Told
from services.notify.rendering import TEMPLATES, environment, render, spoken
from tests.unit.notify.samples import AT, DUE, Sample, samples

SAMPLES = samples()
BY_NAME = {sample.name: sample for sample in SAMPLES}
SHARED = ("shared",)
FILES = ("subject.txt", "body.txt", "body.html")


def said(name: str) -> str:
    """Subject, text and the text of the HTML, on one line."""
    sample = BY_NAME[name]
    rendered = render(sample.told, sample.draft)
    return " ".join(f"{rendered.subject} {rendered.text} {seen(rendered.html)}".split())


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(html: str) -> _Seen:
    reader = _Seen()
    reader.feed(html)
    return reader


def seen(html: str) -> str:
    return " ".join(parsed(html).texts)


def test_every_kind_of_mail_has_its_three_files_and_a_sample() -> None:
    assert {sample.draft.kind for sample in SAMPLES} == set(MailKind)
    folders = {path.name for path in TEMPLATES.iterdir()} - set(SHARED)
    assert folders == {kind.value for kind in MailKind}
    for kind in MailKind:
        assert sorted(path.name for path in (TEMPLATES / kind.value / "en").iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_mail_renders_whole_with_one_line_of_subject_and_no_hole(name: str) -> None:
    sample = BY_NAME[name]
    rendered = render(sample.told, sample.draft)
    subject, text, html = rendered.subject, rendered.text, rendered.html
    assert (rendered.language, "\n" in subject, bool(subject)) == ("en", False, True)
    assert not re.search(r"\bNone\b|\{\{|\{%|Undefined|\[\]", f"{subject} {text} {seen(html)}")
    assert parsed(html).tags.count("h1") == 1
    assert sample.draft.to.name in text
    assert sample.draft.to.name in seen(html)


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_that_misses_a_fact_is_not_sent_with_a_hole(kind: MailKind) -> None:
    """Each fact is asked for by one of the kind's samples at least: none is given for nothing."""
    ours = [sample for sample in SAMPLES if sample.draft.kind == kind]
    for fact in {fact for sample in ours for fact in sample.draft.facts} - UNASKED.get(kind, frozenset()):
        assert any(fails_without(sample, fact) for sample in ours), fact


#: Facts of a clock that say which one it is, where there is but one.
UNASKED = {MailKind.WINDOW_CLOSED: frozenset({"clock"}), MailKind.CUSTOMER_REQUESTED: frozenset({"wait"})}


def fails_without(sample: Sample, fact: str) -> bool:
    less = {key: value for key, value in sample.draft.facts.items() if key != fact}
    try:
        render(sample.told, replace(sample.draft, facts=less))
    except UndefinedError:
        return True
    return False


def test_a_template_that_asks_for_what_it_was_not_given_fails() -> None:
    with pytest.raises(UndefinedError, match="unheard_of"):
        environment().from_string("{{ unheard_of }}").render({})


HOSTILE = "Eve <script>alert(1)</script>\r\nBcc: all@x.example \u202e\"'&"


@pytest.mark.parametrize("name", BY_NAME)
def test_a_hostile_name_or_text_stays_text(name: str) -> None:
    sample = BY_NAME[name]
    plain = render(sample.told, sample.draft)
    hostile = render(evil(sample.told), replace(sample.draft, to=sample.draft.to._replace(name=HOSTILE)))
    assert parsed(hostile.html).tags == parsed(plain.html).tags
    assert "<script" not in hostile.html
    assert hostile.subject == " ".join(hostile.subject.split())
    assert not re.search(r"[\x00-\x1f\u202e]", hostile.subject)


def evil(told: Told) -> Told:
    assert told.partner is not None
    assert told.customer is not None
    form = replace(told.row.form, claim_name=HOSTILE, domain=HOSTILE)
    return replace(
        told,
        row=replace(told.row, form=form, claim_ref=HOSTILE),
        partner=replace(told.partner, name=HOSTILE),
        customer=replace(told.customer, name=HOSTILE),
    )


def test_a_comment_with_markup_is_quoted_as_it_was_typed() -> None:
    sample = BY_NAME["commented-1"]
    facts = {**sample.draft.facts, "comment": "<b>bold</b> & more"}
    rendered = render(sample.told, replace(sample.draft, facts=facts))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in rendered.html
    assert "> <b>bold</b> & more" in rendered.text


def test_every_reason_has_words() -> None:
    assert {*InformationReason, *RejectionReason} <= REASONS.english.keys()


def test_a_language_nobody_has_written_in_is_english() -> None:
    assert [spoken("approved", tag)[-1] for tag in ("xx", "en-GB", None, "../shared")] == ["en"] * 4


# -- what they must say -----------------------------------------------------------------------------------------------


@pytest.mark.rule("D28", edition="both")
def test_a_deadline_is_its_last_whole_day_in_the_clocks_zone_and_the_instant_in_both_zones() -> None:
    found = deadline(DUE, "Europe/Berlin", "America/New_York")
    assert (found.last_day.isoformat(), found.zone) == ("2024-03-22", "Europe/Berlin")
    assert found.until.isoformat() == "2024-03-23T00:00:00+01:00"
    assert (found.here and found.here.isoformat(), found.here_zone) == ("2024-03-22T19:00:00-04:00", "America/New_York")
    text = said("information_requested-1")
    assert "until Friday, March 22, 2024. The whole day counts, in the time zone Europe/Berlin" in text
    assert "it ends at Mar 23, 2024, 00:00 (UTC+01:00)" in text
    assert "In your time zone (America/New_York) that is Mar 22, 2024, 19:00 (UTC-04:00)" in text


def test_business_days_are_explained_where_a_deadline_counts_them() -> None:
    assert "there are 14 of them" in said("information_requested-1")
    assert "Business days" not in said("customer_approved-1")


def test_a_recipient_in_the_same_time_reads_the_instant_once() -> None:
    assert deadline(DUE, "Europe/Berlin", "Europe/Paris").here is None
    assert deadline(DUE, "Europe/Berlin").here is None


@pytest.mark.rule("R37")
def test_a_rejection_says_where_the_reason_stands_how_to_dispute_and_until_when() -> None:
    text = said("rejected-1")
    for part in ("The proof of execution is not sufficient (Intune)", "History", "Dispute", "March 22, 2024"):
        assert part in text


@pytest.mark.parametrize("name", ["rejected-2", "withdrawn-1", "rejected_final-2"])
@pytest.mark.rule("R37", "D7")
def test_what_cannot_be_disputed_points_to_a_new_claim(name: str) -> None:
    text = said(name)
    assert "new claim" in text
    assert "You can dispute" not in text


@pytest.mark.rule("D8", "R51")
def test_the_end_of_an_association_by_its_partner_never_speaks_of_proof() -> None:
    assert not re.search(r"proof|PoE|execution", said("disassociated-1"), re.IGNORECASE)


@pytest.mark.parametrize("name", ["approved-1", "approved-2"])
@pytest.mark.rule("R44")
def test_an_approval_says_that_it_is_not_a_payout(name: str) -> None:
    assert "This is not the approval of a payout" in said(name)


def test_an_approval_after_a_dispute_is_told_as_its_result() -> None:
    assert "the result of your dispute" in said("approved-2")
    assert "dispute" not in said("approved-1")


def test_of_an_imported_association_the_customer_is_not_said_to_be_asked() -> None:
    assert "can now decline" in said("approved-2")
    assert "did not decline" in said("official-1")
    assert "the customer is not asked, it is official at once" in said("approved-3")
    assert not any("decline" in said(name) for name in ("approved-3", "official-2"))


def test_an_association_that_ends_whole_is_not_called_a_part() -> None:
    assert "Part of your association has ended" in said("association_ended-1")
    assert "Part of" not in said("association_ended-2")
    assert "Sunday, March 31, 2024" in said("association_ended-2")


@pytest.mark.rule("D17")
def test_a_mail_about_competition_names_nobody() -> None:
    sample = BY_NAME["competing-1"]
    assert sample.draft.cause not in said("competing-1")
    assert "Only one partner" in said("competing-1")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("kind", ["customer_requested", "customer_approved"])
@pytest.mark.rule("R47")
def test_the_customer_reads_what_it_is_what_is_seen_and_how_to_decline(kind: str, number: int) -> None:
    text = said(f"{kind}-{number}")
    for part in ("CPOR (Claiming Partner of Record)", "You need not do anything", "What it does not get", "decline"):
        assert part in text
    by_mail = "k7Fq-29aX" in text and "with the word" in text
    assert ("https://consent.example/answer?token=k7Fq-29aX" in text) != by_mail


@pytest.mark.rule("R45", edition="both")
@pytest.mark.rule("R46", edition="P2020")
def test_the_customer_of_2020_has_seven_days_and_of_2023_any_time() -> None:
    assert BY_NAME["customer_approved-2"].told.row.policy == Edition.P2020
    assert "within seven days, not afterwards" in said("customer_approved-2")
    assert "decline at any time" in said("customer_approved-1")


def test_no_customer_mail_sends_people_to_the_claim() -> None:
    for name in BY_NAME:
        if name.startswith("customer"):
            assert "resubmit" not in said(name)
            assert "partner's contact" not in said(name)


def test_the_sample_time_is_what_the_mails_stand_at() -> None:
    assert {sample.draft.at for sample in SAMPLES} == {AT}
