"""`cpor mail list|show|preview`: what the embedded mail sink, or Mailpit, received."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from cpor.ops import screen
from cpor.ops.book import Claim, read_claims
from cpor.ops.book import pick as pick_claim
from cpor.ops.claims import how_many
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.export import write_lines
from cpor.ops.fates import read_ledger
from cpor.ops.filters import one_of
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.mail_list import ListedMail, Wanted, listed_mails, mail_json, pick, readable
from cpor.ops.mail_preview import preview_mails
from cpor.ops.mailbox import read_mails
from schemas.mail import MailKind

mail = typer.Typer(name="mail", no_args_is_help=True, help="Mails that the instance sent.")
mail.command("preview")(preview_mails)

#: Shown above the text of a mail, in this order.
HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Content-Language")

#: Characters of a screen on which a mail has room on one line.
WIDE = 150

OfClaim = Annotated[str | None, typer.Option("--claim", metavar="CLAIM", help="Mails about this claim.")]
To = Annotated[str | None, typer.Option("--to", metavar="TEXT", help="Text in the recipient's address.")]
All = Annotated[bool, typer.Option("--all", help="Also mails that nobody has received: they wait, or came back.")]
KindIs = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="One kind, or several with commas.")]


@mail.command("list")
def list_mails(
    claim: OfClaim = None,
    to: To = None,
    kind: KindIs = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Only the newest N.")] = None,
    everything: All = False,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """List mails and what became of them, the newest last; one that came more than once is listed once, with how often.

    Where another server than the sink takes them, all that were written.
    """
    kinds = one_of(MailKind, kind, "--kind")
    instance = find_instance(data)
    mails, claims = mails_here(instance, everything=everything), read_claims(instance)
    found = Wanted(claim_named(claims, claim), to, kinds).select(mails)
    refs = claim_refs(claims)
    shown = found[-limit:] if limit else found
    if as_json:
        screen.print_json([mail_json(each) | {"claim_ref": refs.get(each.claim_id)} for each in shown])
        return
    if shown:
        screen.out().print(mail_table(shown, refs, wide=screen.out().width >= WIDE))
    screen.note(how_many(len(shown), len(mails), "mail"))


def mails_here(instance: Instance, *, everything: bool) -> list[ListedMail]:
    """What the mailboxes hold, each with its fate; with `everything`, or where nobody can look into them, also the rest
    of what was written.
    """
    seen = bool(instance.endpoints.mail_dir or instance.endpoints.mail_url)
    received = read_mails(instance) if seen else []
    return listed_mails(received, read_ledger(instance), unreceived=everything or not seen)


def mail_table(mails: Sequence[ListedMail], refs: Mapping[str, str], *, wide: bool) -> Table:
    """One line a mail where there is room for it; else kind over claim, and address over subject."""
    rows = [_row(each, refs) for each in mails]
    if wide:
        return screen.table(
            None, ["#no.", "!time (UTC)", "!kind", "!claim", "!to", "subject", "what became of it"], rows
        )
    columns = ["#no.", "!time (UTC)", "!kind, claim", "to, subject", "what became of it"]
    stacked = [[no, at, _over(kind, claim), _over(to, about), fate] for no, at, kind, claim, to, about, fate in rows]
    return screen.table(None, columns, stacked)


_STYLES = {"delivered": "green", "bounced": "red", "superseded": "dim"}


def _over(upper: str, lower: str) -> Text:
    return Text.assemble(upper, "\n", (lower, "dim"))


def _row(listed: ListedMail, refs: Mapping[str, str]) -> list[Any]:
    often = f", received {listed.deliveries}×" if listed.deliveries > 1 else ""
    became = Text(f"{listed.fate.words}{often}", style=_STYLES.get(listed.fate.state, "yellow"))
    claim = refs.get(listed.claim_id, listed.claim_id[:8])
    return [listed.number, screen.moment(listed.time), listed.kind, claim, listed.to, listed.header("Subject"), became]


@mail.command("show")
def show_mail(
    which: Annotated[
        str | None, typer.Argument(metavar="[MAIL]", help="Its number or Message-ID; without it, the newest.")
    ] = None,
    claim: OfClaim = None,
    to: To = None,
    kind: KindIs = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write its HTML to a file.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The mail as it was sent, headers and all.")] = False,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Show a mail: its headers and its text."""
    if raw + as_json + (html is not None) > 1:
        raise WrongUse("choose one of --html, --raw and --json")
    kinds = one_of(MailKind, kind, "--kind")
    instance = find_instance(data)
    claims = read_claims(instance)
    wanted = Wanted(claim_named(claims, claim), to, kinds)
    listed = pick(wanted.select(mails_here(instance, everything=which is not None)), which)
    if html is not None:
        save_html(listed, html)
    elif raw:
        sys.stdout.write(listed.raw())
    elif as_json:
        told = mail_json(listed) | {"claim_ref": claim_refs(claims).get(listed.claim_id)}
        screen.print_json(told | {"text": listed.body(), "html": listed.body("html")})
    else:
        show_listed(listed, claim_refs(claims))


def show_listed(listed: ListedMail, refs: Mapping[str, str]) -> None:
    about = [(name, listed.header(name)) for name in HEADERS]
    known = "  ".join(each for each in (refs.get(listed.claim_id), listed.claim_id) if each)
    rows = [*about, ("kind", listed.kind), ("claim", known)]
    if listed.deliveries > 1:
        rows.append(("received", f"{listed.deliveries} times, under the same Message-ID"))
    rows += [("became", listed.fate.words), ("attempts", str(listed.fate.attempts)), ("reply", listed.fate.reply or "")]
    cells = [(Text(name, style="dim"), Text(value)) for name, value in rows if value]
    screen.out().print(screen.table(f"Mail {listed.number or ''}".strip(), ["!", ""], cells, show_header=False))
    screen.out().print(Text(readable(listed.body()) or "(no text)"), soft_wrap=True)  # a link stays whole


def save_html(listed: ListedMail, file: Path) -> None:
    content = listed.body("html")
    if not content:
        raise Refused("this mail has no HTML")
    write_lines([content], file)
    screen.note(f"the HTML of mail {listed.number or listed.message_id} is in {file}")


def claim_named(claims: Sequence[Claim], name: str | None) -> str | None:
    """The id of the claim that a person names. Raises Refused `claim_unknown`."""
    return None if name is None else pick_claim(claims, name).claim_id


def claim_refs(claims: Sequence[Claim]) -> dict[str, str]:
    """Claim id → claim reference."""
    return {each.claim_id: each.state.claim_ref for each in claims}
