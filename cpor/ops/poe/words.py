"""The words of the template in each language it is kept in: `words/<language>.toml`, all with the same keys."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cpor.domain.vocabulary import PartnerRole

ENGLISH = "en"
LANGUAGES = ("en", "de", "ja", "pt", "zh-Hant")
#: Regions that write Chinese in the script we have; the other script is not kept.
_TRADITIONAL = ("zh-tw", "zh-hk", "zh-mo")

Columns = tuple[str, ...]


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parties(_Words):
    heading: str
    partner: str
    location: str
    customer: str
    domain: str
    tenant: str
    subscription: str
    project: str
    disclosure: str
    choices: tuple[str, ...]


class Acknowledgement(_Words):
    """`text` has `{partner}` and `{customer}`, `date` has `{months}`."""

    heading: str
    text: str
    the_partner: str
    the_customer: str
    name: str
    title: str
    date: str
    signature: str


class Grid(_Words):
    heading: str
    columns: Annotated[Columns, Field(min_length=2)]


class Words(_Words):
    """Everything the template says; `role` has `{role}`, `claim` has `{name}`."""

    title: str
    role: str
    claim: str
    parties: Parties
    acknowledgement: Acknowledgement
    work: Grid
    usage: Grid
    products: Grid
    activities: dict[PartnerRole, str]


def source_of(language: str) -> str:
    """The text of the language's file."""
    return files("cpor.ops.poe").joinpath("words", f"{language}.toml").read_text("utf-8")


@cache
def words_in(language: str) -> Words:
    """The words of one of LANGUAGES. Raises pydantic.ValidationError where its file has other keys."""
    return Words.model_validate(tomllib.loads(source_of(language)))


def language_of(tag: str | None) -> str | None:
    """The language of ours that a tag such as `de-AT` or `zh-TW` means; None where we have none."""
    asked = (tag or "").replace("_", "-").lower()
    if asked.startswith(_TRADITIONAL):
        return "zh-Hant"
    ours = {each.lower(): each for each in LANGUAGES}
    return ours.get(asked) or ours.get(asked.partition("-")[0]) or _scripted(asked)


def _scripted(asked: str) -> str | None:
    return "zh-Hant" if asked.startswith("zh-hant") else None
