"""`cpor poe list|get`: a claim's documents, to look at and to take home."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cpor.domain.model import ClaimState, Document
from cpor.domain.vocabulary import datetime_instant, instant_text
from cpor.ops import screen
from cpor.ops.book import pick, read_claims
from cpor.ops.claims import ClaimName
from cpor.ops.errors import Refused
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.mail_list import readable
from cpor.ops.poe.documents import ListedDocument, choose, read_documents
from cpor.ops.poe.names import local_name
from cpor.ops.poe.saving import Folder, Outcome, Saved
from cpor.ops.poe.vault import Link, Vault

#: So many bytes are there before a bar could be read.
A_MOMENTS_WORK = 4 * 1024 * 1024


def list_documents(claim: ClaimName, data: DataDir = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """List a claim's documents, removed ones too, with a link to each that counts, good for a quarter of an hour."""
    instance, state = _find(data, claim)
    rows = read_documents(instance, state)
    with closing(Vault(instance.endpoints)) as vault:
        links = {each.document.document_id: vault.link(each.document) for each in rows if each.counts}
    if as_json:
        screen.print_json([document_json(each, links.get(each.document.document_id)) for each in rows])
        return
    if rows:
        screen.out().print(screen.table(None, COLUMNS, [_row(each) for each in rows]))
    for each in rows:
        _show_link(each.document, links.get(each.document.document_id))
    screen.note(screen.counted(len(rows), "document"))


def get_documents(
    claim: ClaimName,
    document: Annotated[
        list[str] | None, typer.Option("--document", metavar="ID", help="One of them; can be given several times.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Else a folder named PARTNER-REFERENCE.")
    ] = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Save a claim's documents as files, each checked against the claim's record; no other file is overwritten."""
    instance, state = _find(data, claim)
    wanted = choose(state, document or ())
    folder = output or Path(local_name(f"{state.partner_id}-{state.claim_ref}"))
    saved = save(instance, wanted, folder)
    if as_json:
        screen.print_json([saved_json(each) for each in saved])
    else:
        tell(saved)
    failed = [_failure(each) for each in saved if each.path is None]
    if failed:
        raise Refused("\n".join(failed))


def save(instance: Instance, wanted: Sequence[Document], folder: Path) -> list[Saved]:
    """With a bar where there is more than a moment's work. Raises Refused where the folder takes nothing."""
    total = sum(each.size for each in wanted)
    bars = screen.progress(counted=False, transient=True, disable=total < A_MOMENTS_WORK)
    try:
        with closing(Vault(instance.endpoints)) as vault, bars:
            task = bars.add_task("saving", total=total)
            into = Folder(folder) if wanted else None
            return [into.save(each, vault.read, lambda n: bars.advance(task, n)) for each in wanted if into]
    except OSError as fault:
        raise Refused(f"{folder} takes no files ({fault.strerror}): name another folder with -o DIR") from None


def tell(saved: Sequence[Saved]) -> None:
    for each in saved:
        if each.path is not None:
            screen.done(f"{each.path}  ({each.document.size:,} bytes, {each.outcome.replace('_', ' ')})")
    screen.note(screen.counted(len(saved), "document"))


def document_json(listed: ListedDocument, link: Link | None) -> dict[str, Any]:
    document = listed.document
    return {
        "document_id": document.document_id,
        "filename": document.filename,
        "content_type": document.content_type,
        "size": document.size,
        "sha256": document.sha256,
        "customer_signed_on": document.customer_signed_on,
        "covers": document.covers,
        "description": document.description,
        "counts": listed.counts,
        "attached_at": instant_text(listed.attached_at),
        "amended_at": None if listed.amended_at is None else instant_text(listed.amended_at),
        "removed_at": None if listed.removed_at is None else instant_text(listed.removed_at),
        "link": link and link.url,
        "link_until": link and instant_text(datetime_instant(link.until)),
    }


def saved_json(saved: Saved) -> dict[str, Any]:
    document = saved.document
    return {
        "document_id": document.document_id,
        "filename": document.filename,
        "size": document.size,
        "sha256": document.sha256,
        "outcome": saved.outcome,
        "path": saved.path and str(saved.path),
    }


COLUMNS = ("!id", "file", "type", "#bytes", "!signed on", "covers", "description", "!attached", "!standing")
#: So many letters of an id stand in the table; `--document` takes them.
SHOWN_OF_ID = 8
#: What FAILURES say is followed by what there is to restore.
FAILURES = {
    Outcome.MISSING: "is not in the document store",
    Outcome.ALTERED: "is not saved, because what the document store has is not what was accepted",
}


def _row(listed: ListedDocument) -> tuple[Any, ...]:
    document = listed.document
    return (
        document.document_id[:SHOWN_OF_ID],
        readable(document.filename),
        document.content_type.rpartition("/")[2].rpartition(".")[2],
        document.size,
        document.customer_signed_on,
        document.covers,
        readable(document.description),
        _day(listed.attached_at),
        _standing(listed),
    )


def _standing(listed: ListedDocument) -> Text:
    if listed.removed_at is not None:
        return Text(f"removed {_day(listed.removed_at)}", style="red")
    return Text("counts" if listed.amended_at is None else f"amended {_day(listed.amended_at)}", style="green")


def _day(instant: int) -> str:
    """In UTC; `--json` has the time of day."""
    return instant_text(instant)[:10]


def _show_link(document: Document, link: Link | None) -> None:
    if link is not None:
        until = f", until {link.until:%Y-%m-%d %H:%M:%S} UTC:"
        screen.out().print(Text.assemble(readable(document.filename), (until, "dim")))
        screen.out().print(Text(link.url), soft_wrap=True)


def _failure(saved: Saved) -> str:
    document = saved.document
    version = f", version {document.version}," if document.version else ""
    told = f"{readable(document.filename)} {FAILURES[saved.outcome]}"
    return f"{told}: have {document.object_key}{version} restored by those who run the store"


def _find(data: Path, wanted: str) -> tuple[Instance, ClaimState]:
    instance = find_instance(data)
    return instance, pick(read_claims(instance), wanted).state
