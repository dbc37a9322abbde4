"""The forms of fields: each has one pattern, and one plain name for a sender who got it wrong."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from cpor.domain.vocabulary import InstantField

REFERENCE = r"^[A-Za-z0-9._:-]{1,64}$"
USER_ID = r"^[A-Za-z0-9._:@-]{1,64}$"
PARTNER_ID = r"^[A-Za-z0-9-]{1,40}$"
ANY_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
WORKLOAD = r"^[a-z0-9_]{1,64}$"
ANY_SHA256 = r"^[0-9a-fA-F]{64}$"
SHA256 = r"^[0-9a-f]{64}$"
CONTENT_TYPE = r"^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}$"
#: Names no folder and hides nothing behind control characters.
FILENAME = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029/\\]{1,255}$"
DOMAIN = r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$"
#: No quoted local parts and no address literals: they reach nobody and hide header injections.
EMAIL = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$"
)
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$"
COUNTRY = r"^[A-Z]{2}$"
REGION = r"^[A-Z0-9]{1,3}$"
TIMEZONE = r"^[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}$"
CURRENCY = r"^[A-Z]{3}$"
DECIMAL = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$"
#: One line with something to see on it.
LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
#: Lines with something to see; tabs and line ends are the only control characters.
TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
BLANKABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

#: What a value of each pattern is, for an answer to a sender.
MEANINGS: dict[str, str] = {
    REFERENCE: "1 to 64 of A-Z a-z 0-9 . _ : -",
    USER_ID: "a user id: 1 to 64 of A-Z a-z 0-9 . _ : @ -",
    PARTNER_ID: "1 to 40 of A-Z a-z 0-9 -",
    ANY_UUID: "a UUID",
    UUID: "a lower-case UUID",
    WORKLOAD: "a workload or product code such as teams_phone",
    ANY_SHA256: "a SHA-256 digest: 64 hexadecimal digits",
    SHA256: "a SHA-256 digest: 64 lower-case hexadecimal digits",
    CONTENT_TYPE: "a media type such as application/pdf",
    FILENAME: "a file name of 1 to 255 characters without a folder or control characters",
    DOMAIN: "a domain name",
    EMAIL: "an e-mail address",
    LANGUAGE: "a language tag such as de or pt-PT",
    COUNTRY: "a country code of two capital letters",
    REGION: "a region code such as BY",
    TIMEZONE: "a time zone such as Europe/Berlin",
    CURRENCY: "a currency code of three capital letters",
    DECIMAL: "a decimal number as text",
    LINE: "one line of text, neither blank nor with control characters",
    TEXT: "text, neither blank nor with control characters",
    BLANKABLE: "text without control characters",
}


def _none_if_blank(text: str) -> str | None:
    return text if text and not text.isspace() else None


ClaimRefText = Annotated[str, StringConstraints(pattern=REFERENCE)]
MessageIdText = Annotated[str, StringConstraints(pattern=REFERENCE)]
UserIdText = Annotated[str, StringConstraints(pattern=USER_ID)]
PartnerIdText = Annotated[str, StringConstraints(pattern=PARTNER_ID)]
LocationIdText = Annotated[str, StringConstraints(pattern=PARTNER_ID)]
#: A UUID of a sender, made lower-case; `UuidText` is one of ours.
AnyUuidText = Annotated[str, StringConstraints(pattern=ANY_UUID, to_lower=True)]
UuidText = Annotated[str, StringConstraints(pattern=UUID)]
WorkloadText = Annotated[str, StringConstraints(pattern=WORKLOAD)]
AnySha256 = Annotated[str, StringConstraints(pattern=ANY_SHA256, to_lower=True)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256)]
ContentType = Annotated[str, StringConstraints(pattern=CONTENT_TYPE)]
Filename = Annotated[str, StringConstraints(pattern=FILENAME)]
ObjectKey = Annotated[str, StringConstraints(pattern=LINE, max_length=1024)]
DomainName = Annotated[str, StringConstraints(pattern=DOMAIN, max_length=253, to_lower=True)]
Email = Annotated[str, StringConstraints(pattern=EMAIL, max_length=254)]
LanguageTag = Annotated[str, StringConstraints(pattern=LANGUAGE)]
Country = Annotated[str, StringConstraints(pattern=COUNTRY)]
Region = Annotated[str, StringConstraints(pattern=REGION)]
TimezoneName = Annotated[str, StringConstraints(pattern=TIMEZONE)]
Currency = Annotated[str, StringConstraints(pattern=CURRENCY)]
Decimal = Annotated[str, StringConstraints(pattern=DECIMAL)]
Name = Annotated[str, StringConstraints(pattern=LINE, max_length=200)]
#: Kept as it comes: whether it is a subscription id is a rule of its own (D22, `not_a_subscription_id`).
SubscriptionIdText = Annotated[str, StringConstraints(pattern=LINE, max_length=64, to_lower=True)]
EngagementName = Annotated[str, StringConstraints(pattern=LINE, max_length=200)]
Text1000 = Annotated[str, StringConstraints(pattern=TEXT, max_length=1000)]
Text4000 = Annotated[str, StringConstraints(pattern=TEXT, max_length=4000)]
_Blankable4000 = Annotated[str, StringConstraints(pattern=BLANKABLE, max_length=4000), AfterValidator(_none_if_blank)]
#: Text that may be left blank, which is the same as not given.
OptionalText4000 = _Blankable4000 | None
#: 2 ** 53 - 1: what every JSON reader understands.
WholeNumber = Annotated[int, Field(ge=0, le=9_007_199_254_740_991)]
SequenceNumber = Annotated[int, Field(ge=1, le=9_007_199_254_740_991)]
Moment = InstantField
Day = date

#: The default of a field that may be absent but not null; its value is never looked at.
ABSENT: Any = None
