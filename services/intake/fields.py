"""Checks of a message's fields: each names all the errors it finds, and all of them are answered together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cpor.domain.deciding.document_checks import check_coverage, check_present
from cpor.domain.directory import check_location
from cpor.domain.form import check_acknowledgements, check_form
from cpor.domain.model import FormData
from cpor.domain.policy import Policy, edition_on, policy
from cpor.domain.refusal import FieldError, shown
from cpor.domain.texts import FARTHEST_ON, check_signed_on
from cpor.domain.vocabulary import Code, CommandName, Instant
from cpor.domain.wire import FORM_FIELDS, adapter
from cpor.runtime.errors import Retry
from schemas.errors import top
from schemas.partner_commands import Amend, Attach, Create, Edit, File, FilingPart, PartnerCommand, Reserve
from services.intake.case import Case
from services.intake.poe.check import DocumentVerdict
from services.intake.poe.verdict import Refused

FieldJudge = Callable[[Case], Iterator[FieldError]]


def check_where(case: Case) -> Iterator[FieldError]:
    """Absent from an edit, the location stays and is not judged here."""
    body = case.body
    if isinstance(body, Create | File | Edit) and body.location_id is not None:
        error = check_location(case.known_entry.partner, body.location_id)
        if error is not None:
            yield error


def check_whole_form(case: Case) -> Iterator[FieldError]:
    form: FormData = adapter(FormData).validate_python(case.body.model_dump(include=_FORM, exclude_unset=True))
    yield from check_form(_edition(case), form)


def _edition(case: Case) -> Policy:
    """That of the day and place of receipt (D1); where the location is unknown, of the partner's own."""
    partner = case.known_entry.partner
    place = partner.location(getattr(case.body, "location_id", None)) or partner
    return policy(edition_on(Instant(case.message.record.appended_at), place.timezone))


def check_signatures(case: Case) -> Iterator[FieldError]:
    """By the receive time. Intake does not know where the customer signed: review does, and is exact."""
    body, at = case.body, Instant(case.message.record.appended_at)
    if isinstance(body, File):
        for n, each in enumerate(body.documents):
            yield from check_signed_on(f"documents[{n}].customer_signed_on", each.customer_signed_on, at, FARTHEST_ON)
    elif isinstance(body, Attach | Amend):
        yield from check_signed_on("customer_signed_on", body.customer_signed_on, at, FARTHEST_ON)


def check_declared_file(case: Case) -> Iterator[FieldError]:
    """An upload that could not be accepted is not signed."""
    body, limits = case.body, case.limits
    if not isinstance(body, Reserve):
        return
    if body.size == 0:
        yield FieldError("size", Code.DOCUMENT_EMPTY, "A document without content is not accepted.")
    elif body.size > limits.max_bytes:
        detail = f"{body.size} bytes are too many; at most {limits.max_bytes} are allowed."
        yield FieldError("size", Code.DOCUMENT_TOO_LARGE, detail)
    if limits.type_of(body.content_type) is None:
        detail = f"The type {shown(body.content_type)} is not allowed; allowed are {limits.titles()}."
        yield FieldError("content_type", Code.DOCUMENT_TYPE_NOT_ALLOWED, detail)


def check_number_of_documents(case: Case) -> Iterator[FieldError]:
    """Before any is looked at; review counts those of a claim that is there."""
    body, most = case.body, case.limits.max_documents
    if isinstance(body, File) and len(body.documents) > most:
        detail = f"{len(body.documents)} documents are too many; at most {most} are allowed."
        yield FieldError("documents", Code.TOO_MANY_DOCUMENTS, detail)


def check_reserved_document(case: Case) -> Iterator[FieldError]:
    body = case.body
    if not isinstance(body, Attach):
        return
    if case.row.reserved(body.document_id) is None:
        detail = f"No upload with the id {shown(body.document_id)} is reserved for this reference."
        yield FieldError("document_id", Code.DOCUMENT_UNKNOWN, detail)
        return
    yield from _problems("document_id", _verdicts(case, 1)[0])


def check_inline_documents(case: Case) -> Iterator[FieldError]:
    body = case.body
    if isinstance(body, File) and len(body.documents) <= case.limits.max_documents:
        for n, verdict in enumerate(_verdicts(case, len(body.documents))):
            yield from _problems(f"documents[{n}]", verdict)


def _verdicts(case: Case, number: int) -> tuple[DocumentVerdict, ...]:
    """Every verdict is gathered before; a record without them is read again rather than judged without."""
    found = case.gathered.verdicts if case.gathered is not None else ()
    if len(found) != number:
        raise Retry("the documents of this message are not checked yet", origin=case.message.record.origin)
    return found


def _problems(field: str, verdict: DocumentVerdict) -> Iterator[FieldError]:
    if isinstance(verdict, Refused):
        for problem in verdict.problems:
            yield FieldError(field, Code(problem.code.value), problem.detail)


_FORM = set(FORM_FIELDS)


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """A row: the check, the commands it is about, who says so."""

    judge: FieldJudge
    commands: tuple[type[PartnerCommand], ...]
    source: str


FIELD_CHECKS: tuple[FieldCheck, ...] = (
    FieldCheck(check_where, (Create, File, Edit), "D22, R12"),
    FieldCheck(check_whole_form, (Create, File), "R6-R16, D11, D13, D31"),
    FieldCheck(check_declared_file, (Reserve,), "D21"),
    FieldCheck(check_number_of_documents, (File,), "D21"),
    FieldCheck(check_reserved_document, (Attach,), "contract §3, D21"),
    FieldCheck(check_inline_documents, (File,), "D21"),
    FieldCheck(check_signatures, (Attach, Amend, File), "D21"),
)

_CHECKS_OF: Mapping[type[PartnerCommand], tuple[FieldJudge, ...]] = {
    command: tuple(row.judge for row in FIELD_CHECKS if command in row.commands)
    for command in {command for row in FIELD_CHECKS for command in row.commands}
}


def field_errors(case: Case) -> tuple[FieldError, ...]:
    """All errors of all checks of this command, in the order of the table."""
    judges = _CHECKS_OF.get(type(case.body))
    if judges is None:
        return ()
    errors = tuple(error for judge in judges for error in judge(case))
    return (*errors, *_told_besides(case)) if errors else ()


def errors_of_rest(case: Case, wrong: frozenset[str]) -> tuple[FieldError, ...]:
    """What the rules say of the rest of a form; `wrong` are the fields whose shape is."""
    found = (*check_where(case), *check_whole_form(case), *_told_besides(case))
    return tuple(each for each in found if top(each.field) not in wrong)


def _told_besides(case: Case) -> Iterator[FieldError]:
    """What review would refuse a filing for, where it is refused before: a partner hears of all at once."""
    body = case.body
    if case.command is not CommandName.FILE or not isinstance(body, File | FilingPart):
        return
    rules = _edition(case)
    yield from check_acknowledgements(rules, body.acknowledgements)
    yield from check_present(len(body.documents))
    for n, each in enumerate(body.documents):
        yield from check_coverage(rules, body.solution_area, each.covers, f"documents[{n}].covers")
