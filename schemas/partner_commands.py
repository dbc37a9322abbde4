"""What a partner may send to `cpor.partners.<partner>.commands` (contract §3).

Shape only: whether a role fits an area, a claim's status or the customer's facts is judged behind it. Unknown fields of
a partner's message are ignored; wrong ones are answered all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, SchemaValidator, from_json, to_json

from cpor.domain.vocabulary import Acknowledgement, Code, CommandName, WithdrawReason
from schemas.base import Message
from schemas.errors import NO_ERRORS, FieldErrors, field_errors, has_number_out_of_json
from schemas.fields import (
    ABSENT,
    AnySha256,
    AnyUuidText,
    ContentType,
    Day,
    Filename,
    ObjectKey,
    OptionalText4000,
    Text1000,
    Text4000,
    UserIdText,
    WholeNumber,
)
from schemas.forms import ChangedPersonal, DocumentIds, FormChanges, SentForm, WholePersonal, Workloads

Acknowledgements = Annotated[tuple[Acknowledgement, ...], Field(max_length=20)]


class PartnerCommand(Message):
    """What every command has. `partner_id` and `claim_ref`, when there, must say what topic and key say."""

    user: UserIdText
    """The partner's user who acts (D14)."""
    partner_id: str | None = Field(default=None, max_length=200)
    claim_ref: str | None = Field(default=None, max_length=200)


def _no_if_null(value: Any) -> Any:
    return False if value is None else value


#: Null, which the published form does not have but what does not apply is often sent as, is no.
OptOut = Annotated[bool, BeforeValidator(_no_if_null)]


class SentWholeForm(WholePersonal, SentForm):
    """The whole form: a draft is never half a form."""

    incentive_opt_out: OptOut = False


class Create(SentWholeForm, PartnerCommand):
    """T1."""


class Edit(ChangedPersonal, FormChanges, PartnerCommand):
    """T2, T4, D6. A field that is absent stays; `workloads` and each contact replace what was there."""

    tenant_id: AnyUuidText = ABSENT


class Cancel(PartnerCommand):
    """D8: the end of a draft."""


class Reserve(PartnerCommand):
    """Asks for an upload; the receipt carries it."""

    filename: Filename
    content_type: ContentType
    size: WholeNumber
    """Bytes."""
    sha256: AnySha256


class Attach(PartnerCommand):
    """An uploaded file becomes part of the claim."""

    document_id: AnyUuidText
    description: Text1000
    customer_signed_on: Day | None = None
    covers: Workloads = ()


class Amend(PartnerCommand):
    """D21. A field that is absent stays; a null signature date takes the date away."""

    document_id: AnyUuidText
    description: Text1000 = ABSENT
    customer_signed_on: Day | None = None
    covers: Workloads = ABSENT


class Remove(PartnerCommand):
    """D21."""

    document_id: AnyUuidText


class Comment(PartnerCommand):
    """D26."""

    text: Text4000


class Submit(PartnerCommand):
    """T3, R28."""

    acknowledgements: Acknowledgements = ()


class InlineDocument(Message):
    """A document of the bulk path: put under `incoming/<partner>/` beforehand."""

    object_key: ObjectKey
    filename: Filename
    content_type: ContentType
    size: WholeNumber
    sha256: AnySha256
    description: Text1000
    customer_signed_on: Day | None = None
    covers: Workloads = ()


class File(SentWholeForm, PartnerCommand):
    """Create, attach and submit in one message, all or nothing."""

    documents: Annotated[tuple[InlineDocument, ...], Field(max_length=100)] = ()
    acknowledgements: Acknowledgements = ()
    comment: OptionalText4000 = None


class FilingPart(Edit):
    """What is right of a create or a file that is wrong elsewhere; whatever is wrong is absent."""

    documents: Annotated[tuple[InlineDocument, ...], Field(max_length=100)] = ()
    acknowledgements: Acknowledgements = ()


class Resubmit(PartnerCommand):
    """T10, D15."""

    comment: OptionalText4000 = None


class Withdraw(PartnerCommand):
    """T14, D8."""

    reason: WithdrawReason
    text: OptionalText4000 = Field(default=None, validate_default=True)

    @field_validator("text")
    @classmethod
    def other_is_explained(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None and info.data.get("reason") is WithdrawReason.OTHER:
            raise PydanticCustomError(Code.REASON_REQUIRED.value, "The reason 'other' needs a text.")
        return text


class Dispute(PartnerCommand):
    """T15, D12: a justification, or documents attached since the rejection, or both."""

    justification: OptionalText4000 = None
    document_ids: DocumentIds = ()


class Disassociate(PartnerCommand):
    """T13, R51."""

    reason: Text1000


PARTNER_COMMANDS: Mapping[str, type[PartnerCommand]] = {
    CommandName.CREATE: Create,
    CommandName.EDIT: Edit,
    CommandName.CANCEL: Cancel,
    CommandName.POE_RESERVE: Reserve,
    CommandName.POE_ATTACH: Attach,
    CommandName.POE_AMEND: Amend,
    CommandName.POE_REMOVE: Remove,
    CommandName.COMMENT: Comment,
    CommandName.SUBMIT: Submit,
    CommandName.FILE: File,
    CommandName.RESUBMIT: Resubmit,
    CommandName.WITHDRAW: Withdraw,
    CommandName.DISPUTE: Dispute,
    CommandName.DISASSOCIATE: Disassociate,
}

#: Fields whose absence has a code of its own (contract §9).
_CODES_OF_MISSING: Mapping[type[PartnerCommand], Mapping[str, Code]] = {
    Withdraw: {"reason": Code.REASON_REQUIRED},
    Disassociate: {"reason": Code.REASON_REQUIRED},
}


@dataclass(frozen=True, slots=True)
class WrongShape:
    """Why a value is no such command. `code` is `malformed_json`, `invalid_fields` or `unknown_type`.

    `rest`: of a create or a file, what the rules can still be asked about.
    """

    code: Code
    detail: str
    errors: FieldErrors = NO_ERRORS
    rest: FilingPart | None = None


def _validator(model: type[PartnerCommand]) -> SchemaValidator:
    validator = model.__pydantic_validator__
    assert isinstance(validator, SchemaValidator)
    return validator


_VALIDATORS = {name: _validator(model) for name, model in PARTNER_COMMANDS.items()}


def parse_partner_command(ce_type: str | None, value: bytes | None) -> PartnerCommand | WrongShape:
    """A partner's value as its command, or why it is none. Never raises, whatever the bytes are."""
    validator = _VALIDATORS.get(ce_type) if ce_type is not None else None
    if validator is None:
        return WrongShape(Code.UNKNOWN_TYPE, "This type is not a command of a partner.")
    try:
        command: PartnerCommand = validator.validate_json(value or b"", extra="ignore")
    except ValidationError as error:
        return _wrong_shape(error, PARTNER_COMMANDS[ce_type or ""], value or b"")
    if value and has_number_out_of_json(value):
        return WrongShape(Code.MALFORMED_JSON, "The value is not JSON: NaN and Infinity are no numbers there.")
    return command


def _wrong_shape(error: ValidationError, model: type[PartnerCommand], value: bytes) -> WrongShape:
    errors = field_errors(error, _CODES_OF_MISSING.get(model, {}))
    if errors.malformed is not None:
        return WrongShape(Code.MALFORMED_JSON, errors.malformed)
    rest = _rest(value, errors) if model in (Create, File) else None
    return WrongShape(Code.INVALID_FIELDS, errors.summary, errors, rest)


def _rest(value: bytes, errors: FieldErrors) -> FilingPart | None:
    said = from_json(value)
    if errors.omitted or not isinstance(said, dict):
        return None
    wrong = {*errors.fields, *(name for name, value in said.items() if value is None)}
    right = {name: said[name] for name in said.keys() & FilingPart.model_fields if name not in wrong}
    try:
        return FilingPart.model_validate_json(to_json({**right, "user": "-"}), extra="ignore")
    except ValidationError:  # NaN, which is no JSON, is told when the rest is mended
        return None
