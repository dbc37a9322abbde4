"""What people type is checked value by value; nothing they type can stop a worker or forge a mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpor.domain.poe import is_old_signature
from cpor.domain.refusal import FieldError, shown
from cpor.domain.texts import (
    check_domain,
    check_email,
    check_language,
    check_signed_on,
    check_text,
    is_uuid,
)
from cpor.domain.vocabulary import Code, Instant, parse_instant
from tests.unit.domain.forms import P2023

NOW = parse_instant("2024-03-01T09:00:00Z")


def faults(errors: Iterator[FieldError]) -> int:
    found = list(errors)
    assert {error.code for error in found} <= {Code.INVALID_FIELDS}
    return len(found)


@pytest.mark.parametrize("value", ["Teams", " a ", "Umsatz für Ähren", "請求 – 2024", "👩‍🔧", "x" * 200])
def test_ordinary_texts_pass(value: str) -> None:
    assert faults(check_text("claim_name", value, 200)) == 0


@pytest.mark.parametrize("value", ["", " ", "\u3000", "x" * 201, "a\nb", "a\rBcc: x", "a\0", "a\ud800", "\x1b[2J"])
def test_blank_overlong_and_unwritable_texts_do_not(value: str) -> None:
    assert faults(check_text("claim_name", value, 200)) >= 1


def test_line_breaks_are_text_where_several_lines_are_asked_for() -> None:
    assert faults(check_text("text", "one\r\n\ttwo", 200, multiline=True)) == 0
    assert faults(check_text("text", "one\x07", 200, multiline=True)) == 1


@pytest.mark.parametrize(
    "value",
    ["a@b.example", "anna.huber+cpor@mail.fabrikam.example", "o'neil@xn--mller-kva.example", "x" * 64 + "@b.example"],
)
def test_ordinary_addresses_pass(value: str) -> None:
    assert faults(check_email("email", value, 254)) == 0


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "a", "a@", "@b.example", "a@b", "a@b@c.example", "a b@c.example", "a@b..example", ".a@b.example",
        "a@-b.example", "a@b.example\n", "a@b.example\r\nBcc: c@d.example", "Anna <a@b.example>",
        "a@b.example,c@d.example",
        '"a"@b.example', "ä@b.example", "a@[127.0.0.1]", "a@127.0.0.1", "x" * 65 + "@b.example",
        "a@" + "b." * 130 + "example",
        "a" * 100_000, "a@" + "a-" * 50_000, "a\ud800@b.example",
    ],
)  # fmt: skip
def test_what_mail_cannot_be_sent_to_does_not(value: str) -> None:
    assert faults(check_email("email", value, 254)) == 1


@pytest.mark.parametrize("value", ["de", "pt-PT", "zh-Hant", "zh-Hant-TW", "ast", "de-CH-1996"])
def test_language_tags_pass(value: str) -> None:
    assert faults(check_language("language", value, 35)) == 0


@pytest.mark.parametrize(
    "value", ["", "d", "German", "de_DE", "de-", "-de", "de--AT", "d3", "日本語", "de\n", "de" + "-at" * 20]
)
def test_other_words_are_no_language(value: str) -> None:
    assert faults(check_language("language", value, 35)) == 1


@pytest.mark.parametrize(
    ("value", "number"),
    [("contoso.example", 0), ("a.b.example", 0), ("contoso", 1), ("http://x.example", 1), ("x.example/", 1), ("", 1)],
)
def test_a_domain_is_a_name_and_not_an_address(value: str, number: int) -> None:
    assert faults(check_domain("domain", value, 253)) == number


@pytest.mark.parametrize(
    ("value", "yes"),
    [
        ("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d", True),
        ("3F0E1D7A-5B1C-4C7E-9A51-0D7D1A2B3C4D", False),
        ("3f0e1d7a5b1c4c7e9a510d7d1a2b3c4d", False),
        ("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d\n", False),
        ("{3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d}", False),
        ("", False),
    ],
)
def test_ids_are_uuids_in_lower_case(value: str, yes: bool) -> None:
    assert is_uuid(value) is yes


@pytest.mark.parametrize(
    ("signed_on", "zones", "number"),
    [
        pytest.param(None, (), 0, id="not known"),
        pytest.param(date(2024, 3, 1), (), 0, id="today"),
        pytest.param(date(2024, 3, 2), (), 1, id="tomorrow"),
        pytest.param(date(2024, 3, 1), ("Pacific/Pago_Pago",), 1, id="not yet there"),
        pytest.param(date(2024, 3, 1), ("Pacific/Pago_Pago", "Asia/Tokyo"), 0, id="today where the customer is"),
        pytest.param(date(2012, 1, 1), (), 0, id="old dates are the reviewer's business"),
        pytest.param(date.min, (), 1, id="year 1"),
        pytest.param(date.max, (), 1, id="year 9999"),
    ],
)
def test_a_signature_is_not_of_the_future(signed_on: date | None, zones: tuple[str, ...], number: int) -> None:
    assert faults(check_signed_on("customer_signed_on", signed_on, NOW, *zones)) == number


@pytest.mark.parametrize("at", [-(10**18), 10**18])
def test_absurd_times_of_receipt_are_survived(at: int) -> None:
    assert faults(check_signed_on("customer_signed_on", date(2024, 3, 1), Instant(at), "Asia/Tokyo")) in (0, 1)


@pytest.mark.parametrize(
    ("signed_on", "submitted_on", "old"),
    [
        (date(2023, 3, 1), date(2024, 3, 1), False),
        (date(2023, 2, 28), date(2024, 2, 29), True),
        (date(2024, 2, 29), date(2025, 2, 28), False),
        (date(2024, 2, 29), date(2025, 3, 1), True),
        (date.min, date(2024, 3, 1), True),
        (date.max, date(2024, 3, 1), False),
    ],
)
def test_a_signature_grows_old_after_twelve_months(signed_on: date, submitted_on: date, old: bool) -> None:
    assert is_old_signature(P2023, signed_on, submitted_on) is old


@given(st.text(alphabet=st.characters(), max_size=300))
def test_what_is_echoed_is_short_and_can_be_written(value: str) -> None:
    echoed = shown(value)
    assert len(echoed) <= 64 + 3
    assert echoed.encode()
    assert echoed.isprintable()


@pytest.mark.parametrize("multiline", [True, False])
@pytest.mark.parametrize("value", ["a\x07b", "a\x00b"])
def test_no_other_control_character_is_ever_a_text(value: str, multiline: bool) -> None:
    assert [each.field for each in check_text("text", value, 9, multiline=multiline)] == ["text"]


def test_what_is_exactly_as_long_as_it_may_be_is_taken() -> None:
    assert list(check_email("email", "a@b.example", len("a@b.example"))) == []
    assert list(check_language("language", "de-AT", len("de-AT"))) == []
    assert list(check_domain("domain", "b.example", len("b.example"))) == []
    assert shown("x" * 64) == f"'{'x' * 64}'"


def test_a_signature_of_the_first_plausible_day_is_one() -> None:
    now = parse_instant("2024-03-04T08:00:00Z")
    assert list(check_signed_on("on", date(1990, 1, 1), now)) == []
    assert [each.field for each in check_signed_on("on", date(1989, 12, 31), now)] == ["on"]
