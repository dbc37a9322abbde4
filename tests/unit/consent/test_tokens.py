"""Tokens of the customers' links."""

from __future__ import annotations

from datetime import date

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, Instant, TenantId
from cpor.runtime.errors import Misconfigured
from services.consent.tokens import About, Tokens, recipient_of

ABOUT = About(
    TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d"),
    ClaimId("e8e48740-69b1-5b3b-879d-b0cef59a09e4"),
    ids.name_id("request"),
    recipient_of("kana@contoso.example"),
    date(2027, 3, 31),
)
KEY = "0123456789abcdef0123456789abcdef"
TOKEN = (
    "nihfAT8OHXpbHEx-mlENfRorPE3o5IdAabFbO4edsM71mgnk6pFZWwnCVKK0"
    "xGngp2uB1iXxyccwaNLuC0rnTqdxoAH-RYTgnc5t21qJu35IIwBhtPTK"
)
TOKEN_1 = "nihfPw4delscTH6aUQ19Gis8Tejkh0BpsVs7h52wzvWaCeTqkVlbCcJUorTEaeCna4HWdGcK9kIaA5fgJsgnhNrTgsTv_vEUINMe"


def test_a_token_is_the_same_for_ever_and_reads_as_what_it_was_made_of() -> None:
    token = Tokens(KEY).make(ABOUT)
    assert token == Tokens(KEY).make(ABOUT)
    assert token == TOKEN
    assert Tokens(KEY).read(token) == ABOUT


def test_a_token_of_the_first_version_still_counts_and_never_expires() -> None:
    about = Tokens(KEY).read(TOKEN_1)
    assert about == ABOUT._replace(recipient="", last_day=None)


def test_the_recipient_s_digest_is_that_of_the_address_however_it_is_written() -> None:
    assert recipient_of(" Kana@Contoso.example") == recipient_of("kana@contoso.example") == "25f1c9c73068d2ee"
    assert recipient_of("kana@contoso.example") != recipient_of("kena@contoso.example")


AT = Instant(1_709_200_800_000)


def test_a_form_says_when_the_page_of_its_own_link_was_opened_and_of_no_other() -> None:
    tokens = Tokens(KEY)
    form = tokens.make_form(TOKEN, AT)
    assert tokens.read_form(TOKEN, form) == AT
    assert tokens.read_form(TOKEN_1, form) is None
    assert Tokens(f"{NEWER},{KEY}").read_form(TOKEN, form) == AT
    assert Tokens(NEWER).read_form(TOKEN, form) is None


@pytest.mark.parametrize("text", ["", "x", "A" * 44, "ä" * 44])
def test_what_is_no_form_s_token_says_nothing(text: str) -> None:
    assert Tokens(KEY).read_form(TOKEN, text) is None


def test_a_link_s_token_is_no_form_s_and_a_form_s_is_no_link_s() -> None:
    tokens = Tokens(KEY)
    assert tokens.read_form("", tokens.make(ABOUT)) is None
    assert tokens.read(tokens.make_form("", AT)) is None


def test_a_token_shows_no_id_in_the_clear_and_fits_a_link() -> None:
    token = Tokens(KEY).make(ABOUT)
    assert len(token) == 116
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert all(str(each) not in token for each in ABOUT)


@pytest.mark.parametrize("place", range(0, 116, 5))
def test_a_token_that_was_changed_anywhere_is_nobody_s(place: int) -> None:
    token = Tokens(KEY).make(ABOUT)
    other = "A" if token[place] != "A" else "B"
    assert Tokens(KEY).read(token[:place] + other + token[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "x", "ä" * 100, "A" * 100, "A" * 4_000])
def test_what_is_no_token_is_nobody_s(text: str) -> None:
    assert Tokens(KEY).read(text) is None


def test_another_key_signs_other_tokens() -> None:
    assert Tokens(KEY[::-1]).read(Tokens(KEY).make(ABOUT)) is None


NEWER = "fedcba9876543210fedcba9876543210"


def test_after_a_change_of_keys_links_that_were_sent_before_still_count() -> None:
    sent = Tokens(KEY).make(ABOUT)
    changed = Tokens(f"{NEWER}, {KEY}")
    assert changed.read(sent) == ABOUT
    assert changed.make(ABOUT) == Tokens(NEWER).make(ABOUT) != sent
    assert Tokens(NEWER).read(sent) is None


def test_a_token_names_its_key_and_no_other_key_reads_it_under_that_name() -> None:
    token, other = Tokens(KEY).make(ABOUT), Tokens(NEWER).make(ABOUT)
    assert token[:4] != other[:4]
    assert Tokens(f"{KEY},{NEWER}").read(other[:4] + token[4:]) is None


@pytest.mark.parametrize("keys", ["short", "", f"{KEY},short", f"{KEY},", f",{KEY}"])
def test_a_key_that_could_be_guessed_is_refused(keys: str) -> None:
    with pytest.raises(Misconfigured, match="CPOR_CONSENT_KEY") as refused:
        Tokens(keys)
    assert KEY not in str(refused.value)
