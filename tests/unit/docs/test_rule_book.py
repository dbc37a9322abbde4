"""The rule book's pictures and tables: complete, readable, and as the rules are."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from cpor.domain import commands
from cpor.domain.decide import HANDLERS
from cpor.domain.vocabulary import Code, CommandName, Edition, Status
from cpor.ops.checker.called_for import OF_CLOCKS, OF_EVENTS, TASKS
from cpor.ops.checker.lifecycle import STEPS
from schemas.mail import MailKind, Recipient
from tests.unit.docs.answers import answers_of
from tools.book.code_tables import BEFORE, INSIDE, SOURCES
from tools.book.mail_tables import LETTERS
from tools.book.picture import Arrow, NoPlace, arrows, outline, picture
from tools.book.places import BOXES, FRAME, HEIGHT, ROUTES, WIDTH, Box
from tools.book.ways import ways
from tools.rulebook import rules

SVG = "{http://www.w3.org/2000/svg}"
BOTH = tuple(Edition)

# --- the pictures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", BOTH)
def test_the_ways_of_an_edition_are_the_changes_of_status_that_the_checker_allows(edition: Edition) -> None:
    told = {(way.begin, way.end) for way in ways(edition) if way.begin != way.end}
    allowed = {
        (origin, step.to)
        for step in STEPS
        if edition in step.editions
        for origin in step.origins
        if step.to not in (None, origin)
    }
    assert told == allowed


@pytest.mark.parametrize("edition", BOTH)
def test_a_picture_shows_every_way_with_who_acts_and_its_number(edition: Edition) -> None:
    root = ET.fromstring(picture(edition))
    said = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    for way in ways(edition):
        assert way.what in said
        assert f"{'time' if way.lapse else way.who} · {way.number}" in said


@pytest.mark.parametrize("edition", BOTH)
def test_a_picture_can_be_read_aloud(edition: Edition) -> None:
    root = ET.fromstring(picture(edition))
    title, desc = (root.findtext(f"{SVG}{name}") or "" for name in ("title", "desc"))
    assert root.get("aria-labelledby") == "title desc"
    assert edition in title
    assert all(way.what in desc for way in ways(edition))


@pytest.mark.parametrize("edition", BOTH)
def test_no_label_of_a_picture_lies_on_another_label_or_on_a_status_or_outside(edition: Edition) -> None:
    labels = {arrow.words: outline(arrow) for arrow in arrows(edition)}
    statuses = {name: box for name, box in BOXES.items() if name != FRAME}
    page = Box(0, 0, WIDTH, HEIGHT)
    assert [pair for pair in combinations(labels, 2) if overlap(labels[pair[0]], labels[pair[1]])] == []
    assert [(name, each) for name in labels for each in statuses if overlap(labels[name], statuses[each])] == []
    assert [name for name, box in labels.items() if not within(box, page)] == []


def overlap(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def within(box: Box, page: Box) -> bool:
    return box.x >= 0 and box.y >= 0 and box.x + box.width <= page.width and box.y + box.height <= page.height


def test_every_route_is_used_and_ends_at_the_box_it_leads_to() -> None:
    used = {(each.begin, each.end, each.way.number) for edition in BOTH for each in arrows(edition)}
    assert used == ROUTES.keys()
    assert [key for key, route in ROUTES.items() if not on_border(BOXES[key[1]], *route.points[-1])] == []


def on_border(box: Box, x: int, y: int) -> bool:
    upright = x in (box.x, box.x + box.width) and box.y <= y <= box.y + box.height
    return upright or (y in (box.y, box.y + box.height) and box.x <= x <= box.x + box.width)


def test_a_way_that_has_no_place_in_the_picture_is_not_left_out_in_silence() -> None:
    way = next(each for each in ways(Edition.P2023) if each.number == "T5")
    with pytest.raises(NoPlace, match="T5"):
        _ = Arrow(Status.DRAFT, Status.APPROVED, way).route


# --- codes -----------------------------------------------------------------------------------------------------------

K, C = Code, CommandName
#: The form as it was had no fault; only the contact that is new can have one.
NOT_NEW = {
    C.OPS_RESEND_NOTICE: {
        K.ENGAGEMENT_MISMATCH,
        K.NOT_A_CPOR_ENGAGEMENT,
        K.OPT_OUT_NOT_OFFERED,
        K.REVENUE_NOT_OFFERED,
        K.ROLE_NOT_IN_AREA,
        K.WORKLOAD_NOT_IN_AREA,
    }
}


def test_every_code_names_rules_or_sections_that_exist() -> None:
    assert SOURCES.keys() == {*Code}
    numbers = {each for source in SOURCES.values() for each in source.split() if each[0] in "RTD"}
    assert numbers - rules().keys() == set()


@pytest.mark.parametrize("name", BEFORE)
def test_each_code_that_reviewers_and_operators_can_be_answered_with_stands_in_the_book(name: CommandName) -> None:
    can = answers_of(HANDLERS[commands.COMMAND_TYPES[name]]) - NOT_NEW.get(name, set())
    assert can - {*BEFORE[name]} == {*INSIDE[name]}


def test_only_commands_that_can_be_refused_are_left_out_of_the_book() -> None:
    left_out = [each for each in C if each.startswith(("cpor.review.", "cpor.ops.")) and each not in BEFORE]
    assert left_out == [C.OPS_END_SUBSCRIPTION]
    assert answers_of(HANDLERS[commands.COMMAND_TYPES[C.OPS_END_SUBSCRIPTION]]) == set()


# --- mails -----------------------------------------------------------------------------------------------------------


def test_every_kind_of_mail_stands_in_the_book_with_rules_that_exist() -> None:
    assert LETTERS.keys() == {*MailKind}
    numbers = {each for letter in LETTERS.values() for each in letter.source.split() if each[0] in "RTD"}
    assert numbers - rules().keys() == set()


def test_the_book_sends_each_mail_to_whom_the_checker_expects_it_to_go() -> None:
    expected = {each.kind: Recipient.PARTNER for each in OF_EVENTS}
    expected |= {each.kind: Recipient.OPERATIONS for each in TASKS} | {each.kind: each.to for each in OF_CLOCKS}
    assert {kind: LETTERS[kind].to for kind in expected} == expected
