"""Checks of single values that people typed: texts, addresses, language tags, dates (R16, D21)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from cpor.domain.calendar import local_date
from cpor.domain.refusal import FieldError, shown
from cpor.domain.vocabulary import Code, Instant

#: RFC 5321's dot-atom form. Quoted local parts and addresses beyond ASCII are left out: mail to them is not
#: delivered everywhere, and a notice that is not delivered suspends the consent (D20).
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_LONGEST_LOCAL_PART = 64
#: The shape of a BCP 47 tag; whether somebody speaks it is not asked.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: Control characters and lone surrogates: the first could forge lines of a mail, the second cannot be written.
_UNWRITABLE = ("Cc", "Cs")
#: Where the calendar is farthest on (UTC+14): for somebody of whom it is not known where they are.
FARTHEST_ON = "Pacific/Kiritimati"
#: Signatures from before this year are slips of the pen (D21 refuses no date for being merely old).
_EARLIEST_SIGNATURE = date(1990, 1, 1)


def invalid(field: str, detail: str) -> FieldError:
    """A field that has no code of its own."""
    return FieldError(field, Code.INVALID_FIELDS, detail)


def check_text(field: str, value: str, longest: int, *, multiline: bool = False) -> Iterator[FieldError]:
    """Not blank, at most `longest` characters, no control characters (line breaks and tabs if `multiline`)."""
    if not value.strip():
        yield invalid(field, "must not be blank.")
    if len(value) > longest:
        yield invalid(field, f"has {len(value)} characters; at most {longest} are allowed.")
    allowed = "\n\r\t" if multiline else ""
    if not value.isprintable() and any(_is_unwritable(c) for c in value if c not in allowed):
        yield invalid(field, "contains characters that are not text.")


def check_email(field: str, value: str, longest: int) -> Iterator[FieldError]:
    """An address that mail can be sent to, in ASCII (a domain in its xn-- form)."""
    if len(value) > longest:
        yield invalid(field, f"has {len(value)} characters; at most {longest} are allowed.")
    elif not _EMAIL.fullmatch(value) or value.index("@") > _LONGEST_LOCAL_PART:
        yield invalid(field, f"{shown(value)} is not an e-mail address.")


def check_language(field: str, value: str, longest: int) -> Iterator[FieldError]:
    """A language tag such as `de`, `zh-Hant` or `pt-PT`."""
    if len(value) > longest or not _LANGUAGE.fullmatch(value):
        yield invalid(field, f"{shown(value)} is not a language tag.")


def check_domain(field: str, value: str, longest: int) -> Iterator[FieldError]:
    """A domain name in ASCII."""
    if len(value) > longest or not _DOMAIN.fullmatch(value):
        yield invalid(field, f"{shown(value)} is not a domain name.")


def is_uuid(value: str) -> bool:
    """Whether `value` is a UUID in lower case, as ids are written (contract §2)."""
    return _UUID.fullmatch(value) is not None


def check_signed_on(field: str, signed_on: date | None, at: Instant, *zones: str) -> Iterator[FieldError]:
    """D21: a signature's date may be unknown or old, but not in the future, in the farthest-on of `zones`."""
    if signed_on is None:
        return
    if signed_on > max(local_date(at, zone) for zone in (zones or ("UTC",))):
        yield invalid(field, f"{signed_on.isoformat()} lies in the future.")
    if signed_on < _EARLIEST_SIGNATURE:
        yield invalid(field, f"{signed_on.isoformat()} is not a plausible date of a signature.")


def _is_unwritable(character: str) -> bool:
    return unicodedata.category(character) in _UNWRITABLE
