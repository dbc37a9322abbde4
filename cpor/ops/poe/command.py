"""`cpor poe template`: the template of the proof of execution, empty or filled in from a claim (R27)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cpor.domain.vocabulary import PartnerRole
from cpor.ops import screen
from cpor.ops.book import check_viewer, find_partner, find_viewer, pick, read_claims
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.instance import DEFAULT_DATA, DataDir, Instance, find_instance
from cpor.ops.poe.content import Content, blank, of_claim
from cpor.ops.poe.words import ENGLISH, LANGUAGES, language_of
from cpor.ops.reading import newest_rows
from cpor.runtime.topics import Topic
from schemas.base import read
from schemas.reference import Customer

poe = typer.Typer(name="poe", no_args_is_help=True, help="Proof of execution.")


@poe.command("template")
def template(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The .docx file to write.")],
    role: Annotated[str | None, typer.Option(help="Partner role; that of the claim where one is named.")] = None,
    language: Annotated[
        str | None, typer.Option(metavar="L", help=f"{', '.join(LANGUAGES)}; else the customer's, else en.")
    ] = None,
    claim: Annotated[str | None, typer.Option(metavar="CLAIM", help="Fill it in from this claim.")] = None,
    as_partner: Annotated[str | None, typer.Option("--as-partner", metavar="P", help="As its --user sees it.")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="U", help="A user of --as-partner.")] = None,
    data: DataDir = DEFAULT_DATA,
) -> None:
    """Write the template of the proof of execution as a Word document, for the customer to sign."""
    wanted, asked = _role(role), _language(language)
    check_viewer(as_partner, user)
    if output.suffix.lower() != ".docx":
        raise WrongUse(f"-o takes a .docx file, not {output}")
    if claim is None:
        content, spoken = blank(wanted), None
    else:
        content, spoken = from_claim(find_instance(data), claim, as_partner, user)
    if wanted not in (None, content.role):
        raise WrongUse(f"--role {wanted} is not the role of this claim: {content.role}")
    told = asked or language_of(spoken) or ENGLISH
    save(content, told, output)
    screen.done(f"{output} written ({told}{'' if content.role is None else f', {content.role}'})")


def from_claim(instance: Instance, claim: str, as_partner: str | None, user: str | None) -> tuple[Content, str | None]:
    """What the claim fills in, and the customer's language if it is known. Raises Refused."""
    found = pick(read_claims(instance, find_viewer(instance, as_partner, user)), claim)
    customer = _customer(instance, found.state.form.tenant_id)
    contact = found.state.personal.customer_contact
    spoken = (contact.language if contact else None) or (customer.language if customer else None)
    return of_claim(found, find_partner(instance, found.state.partner_id), customer), spoken


def save(content: Content, language: str, output: Path) -> None:
    """The file is there whole or not at all. Raises Refused."""
    from cpor.ops.poe.document import template_docx  # slow to import; only who writes one needs it

    fresh = output.with_name(f".{output.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(template_docx(content, language))
        fresh.replace(output)
    except OSError as fault:
        fresh.unlink(missing_ok=True)
        raise Refused(f"{output} cannot be written: {fault.strerror}") from None


def _role(text: str | None) -> PartnerRole | None:
    if text is not None and text not in list(PartnerRole):
        raise WrongUse(f"--role can be {', '.join(PartnerRole)}, not {text}")
    return None if text is None else PartnerRole(text)


def _language(tag: str | None) -> str | None:
    found = language_of(tag)
    if tag is not None and found is None:
        raise WrongUse(f"--language can be {', '.join(LANGUAGES)}, not {tag}")
    return found


def _customer(instance: Instance, tenant: str) -> Customer | None:
    row = newest_rows(instance.transport, Topic.CUSTOMERS).get(tenant.encode())
    return read(Customer, row.value) if row is not None and row.value else None
