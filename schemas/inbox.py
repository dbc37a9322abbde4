"""What lies in review's one inbox, `cpor.claims.commands` (contract §4).

Here: admitted partner commands with what intake found out about them. Each keeps its `ce_type`; `partner_value` writes.
In `schemas.inside`: the commands of reviewers, operators and services.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from cpor.domain.vocabulary import (
    CommandName,
    WithdrawReason,
)
from schemas import partner_commands
from schemas.base import Message
from schemas.fields import (
    ABSENT,
    ClaimRefText,
    ContentType,
    Day,
    Filename,
    MessageIdText,
    PartnerIdText,
    Sha256,
    Text1000,
    Text4000,
    UserIdText,
    UuidText,
    WholeNumber,
)
from schemas.forms import PERSONAL_FIELDS, ChangedPersonal, FormChanges, SentForm, WholePersonal, Workloads
from schemas.inside import INBOX_FROM_INSIDE as INBOX_FROM_INSIDE
from schemas.inside import Park as Park
from schemas.partner_commands import Acknowledgements, PartnerCommand
from schemas.parts import AcceptedDocument
from schemas.receipts import Upload


class FromPartner(Message):
    """What every admitted partner command has."""

    claim_id: UuidText
    tenant_id: UuidText
    partner_id: PartnerIdText
    claim_ref: ClaimRefText
    message_id: MessageIdText
    """The partner's `ce_id`, which the receipt names."""
    user: UserIdText


class Create(FromPartner):
    """An admitted create: the form checked, its contacts apart."""

    form: SentForm
    personal: WholePersonal


class Edit(FromPartner):
    """An admitted edit: what it replaces, contacts apart."""

    changes: FormChanges
    personal: ChangedPersonal


class Cancel(FromPartner):
    """An admitted cancel."""


class Reserve(FromPartner):
    """An admitted reservation, with the upload intake has signed."""

    document_id: UuidText
    filename: Filename
    content_type: ContentType
    size: WholeNumber
    sha256: Sha256
    upload: Upload
    """Signed by intake; the receipt carries it if the claim's status allows."""


class Attach(FromPartner):
    """An admitted document, checked and copied."""

    document: AcceptedDocument


class Amend(FromPartner):
    """An admitted change of what is said of a document."""

    document_id: UuidText
    description: Text1000 = ABSENT
    customer_signed_on: Day | None = None
    covers: Workloads = ABSENT


class Remove(FromPartner):
    """An admitted removal of a document."""

    document_id: UuidText


class Comment(FromPartner):
    """An admitted comment."""

    text: Text4000


class Submit(FromPartner):
    """An admitted submission."""

    acknowledgements: Acknowledgements = ()


class File(Create):
    """An admitted bulk filing: form, checked documents, acknowledgements."""

    documents: tuple[AcceptedDocument, ...] = ()
    acknowledgements: Acknowledgements = ()
    comment: Text4000 | None = None


class Resubmit(FromPartner):
    """An admitted resubmission."""

    comment: Text4000 | None = None


class Withdraw(FromPartner):
    """An admitted withdrawal."""

    reason: WithdrawReason
    text: Text4000 | None = None


class Dispute(FromPartner):
    """An admitted dispute."""

    justification: Text4000 | None = None
    document_ids: tuple[UuidText, ...] = ()


class Disassociate(FromPartner):
    """An admitted disassociation."""

    reason: Text1000


INBOX_FROM_PARTNERS: Mapping[str, type[FromPartner]] = {
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


class Identity(NamedTuple):
    """What intake knows of a message besides its content."""

    claim_id: str
    tenant_id: str
    partner_id: str
    claim_ref: str
    message_id: str


class AcceptedFile(NamedTuple):
    """What intake found out about a file: facts of the accepted copy, not the sender's word."""

    document_id: str
    object_key: str
    version: str | None
    filename: str
    content_type: str
    size: int
    sha256: str


def partner_value(
    command: PartnerCommand,
    identity: Identity,
    *,
    accepted: Sequence[AcceptedFile] = (),
    document_id: str | None = None,
    upload: Mapping[str, Any] | None = None,
) -> bytes:
    """The inbox value of an admitted partner command.

    `accepted`: the files of attach (one) and file (as many as its documents, in their order). `document_id` and
    `upload` ({url, fields, expires_at}): of reserve.
    """
    sent = command.model_dump(mode="json", exclude_unset=True, exclude=_SAID_BY_TOPIC_AND_KEY)
    value = {**identity._asdict(), "user": sent.pop("user")}
    shape = _SHAPES.get(type(command))
    value.update(sent if shape is None else shape(sent, accepted))
    if document_id is not None:
        value["document_id"] = document_id
    if upload is not None:
        value["upload"] = upload
    return to_json(value)


_SAID_BY_TOPIC_AND_KEY = {"partner_id", "claim_ref"}
_BESIDE_THE_FORM = frozenset(("documents", "acknowledgements", "comment"))

Sent = dict[str, Any]


def _split(sent: Sent, form_name: str) -> Sent:
    personal = {name: sent.pop(name) for name in PERSONAL_FIELDS if name in sent}
    beside = {name: sent.pop(name) for name in _BESIDE_THE_FORM if name in sent}
    return {form_name: sent, "personal": personal, **beside}


def _create(sent: Sent, accepted: Sequence[AcceptedFile]) -> Sent:
    return _split(sent, "form")


def _edit(sent: Sent, accepted: Sequence[AcceptedFile]) -> Sent:
    return _split(sent, "changes")


def _document(said: Sent, file: AcceptedFile) -> Sent:
    return {"customer_signed_on": None, "covers": (), **said, **file._asdict()}


def _attach(sent: Sent, accepted: Sequence[AcceptedFile]) -> Sent:
    (file,) = accepted
    return {"document": _document(sent, file)}


def _file(sent: Sent, accepted: Sequence[AcceptedFile]) -> Sent:
    value = _split(sent, "form")
    documents = zip(value.pop("documents", ()), accepted, strict=True)
    return {**value, "documents": [_document(said, file) for said, file in documents]}


_SHAPES: Mapping[type[PartnerCommand], Callable[[Sent, Sequence[AcceptedFile]], Sent]] = {
    partner_commands.Create: _create,
    partner_commands.Edit: _edit,
    partner_commands.Attach: _attach,
    partner_commands.File: _file,
}
