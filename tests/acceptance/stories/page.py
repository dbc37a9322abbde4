"""The page of an edition's worked examples, made of the stories' words and of what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cpor.domain.vocabulary import Edition
from tests.acceptance.stories.telling import Book, Moment, Tale

Told = tuple[Tale, Sequence[tuple[Moment, Sequence[str]]]]
YEARS = {
    Edition.P2020: "The rules up to 9 October 2023, played in 2021",
    Edition.P2023: "The rules from 10 October 2023 on, played in 2024",
}


def page(book: Book, told: Iterable[Told]) -> str:
    head = (
        f"# Worked examples of {book.edition}\n\n"
        f"{YEARS[book.edition]}. Each story is a test: all five services on a test clock, a real Kafka, "
        "S3 and mail server. Below each date stands what happens, and then what was recorded: events with the status "
        "after them, hand-offs, answers to messages that were not taken, mails with the last day they name. Times are "
        "those of the story's place. This page is written by that test; the numbers of rules lead into "
        "[rules.md](../rules.md).\n"
    )
    return "\n".join([head, *(chapter(number, *each) for number, each in enumerate(told, start=1))])


def chapter(number: int, tale: Tale, moments: Sequence[tuple[Moment, Sequence[str]]]) -> str:
    head = f"## {number}. {tale.title}\n\n{tale.who}\n\nShows {tale.rules}.\n"
    return "\n".join([head, *(paragraph(moment, lines) for moment, lines in moments)])


def paragraph(moment: Moment, lines: Sequence[str]) -> str:
    recorded = [f"- {line}" for line in lines]
    return "\n".join([f"**{moment.when}.** {moment.words}", "", *recorded, *([""] if recorded else [])])
