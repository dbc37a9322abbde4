"""Tokens of the customers' links."""

from __future__ import annotations

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, TenantId
from cpor.runtime.errors import Misconfigured
from services.consent.tokens import About, Tokens

ABOUT = About(
    TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d"),
    ClaimId("e8e48740-69b1-5b3b-879d-b0cef59a09e4"),
    ids.name_id("request"),
)
KEY = "0123456789abcdef0123456789abcdef"
TOKEN = "nihfPw4delscTH6aUQ19Gis8Tejkh0BpsVs7h52wzvWaCeTqkVlbCcJUorTEaeCna4HWdGcK9kIaA5fgJsgnhNrTgsTv_vEUINMe"


def test_a_token_is_the_same_for_ever_and_reads_as_what_it_was_made_of() -> None:
    token = Tokens(KEY).make(ABOUT)
    assert token == Tokens(KEY).make(ABOUT)
    assert token == TOKEN
    assert Tokens(KEY).read(token) == ABOUT


def test_a_token_shows_no_id_in_the_clear_and_fits_a_link() -> None:
    token = Tokens(KEY).make(ABOUT)
    assert len(token) == 100
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert all(each not in token for each in ABOUT)


@pytest.mark.parametrize("place", range(0, 100, 5))
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
