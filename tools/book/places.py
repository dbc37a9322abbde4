"""Where the pictures of the states have their boxes, arrows and labels, in units of the drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cpor.domain.vocabulary import Status as S

#: The dot in which every way begins, and the frame around what is not decided yet.
START = "start"
FRAME = "undecided"
WIDTH, HEIGHT = 1320, 1000
DOT = (36, 200)


class Box(NamedTuple):
    x: int
    y: int
    width: int
    height: int


class Route(NamedTuple):
    """An arrow through `points`, corners rounded; the middle of its label."""

    points: tuple[tuple[int, int], ...]
    label: tuple[int, int]


BOXES: Mapping[str, Box] = {
    FRAME: Box(420, 130, 510, 310),
    S.DRAFT: Box(150, 167, 150, 66),
    S.CANCELLED: Box(150, 340, 150, 66),
    S.SUBMITTED: Box(440, 167, 160, 66),
    S.UNDER_REVIEW: Box(750, 167, 160, 66),
    S.PARTNER_ACTION_REQUIRED: Box(555, 337, 200, 66),
    S.APPROVED: Box(1060, 167, 190, 66),
    S.REJECTED: Box(490, 540, 360, 180),
    S.DISPUTED: Box(560, 834, 240, 136),
    S.REJECTED_FINAL: Box(1110, 876, 180, 94),
}

#: By where a way begins and ends, and its number.
ROUTES: Mapping[tuple[str, str, str], Route] = {
    (START, S.DRAFT, "T1"): Route((DOT, (150, 200)), (96, 174)),
    (START, S.SUBMITTED, "T1 T3"): Route((DOT, (36, 100), (520, 100), (520, 167)), (225, 100)),
    (START, S.APPROVED, "D23"): Route((DOT, (36, 56), (1090, 56), (1090, 167)), (560, 56)),
    (S.DRAFT, S.SUBMITTED, "T3"): Route(((300, 200), (440, 200)), (360, 174)),
    (S.DRAFT, S.CANCELLED, "D8"): Route(((225, 233), (225, 340)), (225, 285)),
    (S.SUBMITTED, S.UNDER_REVIEW, "T5"): Route(((600, 200), (750, 200)), (675, 174)),
    (S.UNDER_REVIEW, S.PARTNER_ACTION_REQUIRED, "T6"): Route(((810, 233), (810, 370), (755, 370)), (805, 290)),
    (S.PARTNER_ACTION_REQUIRED, S.SUBMITTED, "T10"): Route(((555, 370), (500, 370), (500, 233)), (500, 290)),
    (S.UNDER_REVIEW, S.APPROVED, "T7"): Route(((910, 200), (1060, 200)), (992, 174)),
    (S.UNDER_REVIEW, S.REJECTED, "T8"): Route(((896, 233), (896, 564), (850, 564)), (902, 490)),
    (FRAME, S.REJECTED, "T14"): Route(((504, 440), (504, 540)), (504, 490)),
    (S.PARTNER_ACTION_REQUIRED, S.REJECTED, "T9"): Route(((630, 403), (630, 540)), (630, 490)),
    (FRAME, S.REJECTED, "T11b"): Route(((776, 440), (776, 540)), (776, 490)),
    (S.APPROVED, S.APPROVED, "T12"): Route(((1170, 167), (1170, 130), (1225, 130), (1225, 167)), (1212, 98)),
    (S.APPROVED, S.REJECTED, "T11"): Route(((1080, 233), (1080, 610), (850, 610)), (990, 610)),
    (S.APPROVED, S.REJECTED, "T20"): Route(((1108, 233), (1108, 654), (850, 654)), (990, 654)),
    (S.APPROVED, S.REJECTED, "T14"): Route(((1136, 233), (1136, 698), (850, 698)), (990, 698)),
    (S.APPROVED, S.REJECTED_FINAL, "T13"): Route(((1230, 233), (1230, 876)), (1230, 430)),
    (S.REJECTED, S.REJECTED, "T17"): Route(((490, 600), (455, 600), (455, 660), (490, 660)), (384, 630)),
    (S.REJECTED, S.DISPUTED, "T15"): Route(((620, 720), (620, 834)), (620, 775)),
    (S.DISPUTED, S.REJECTED, "T16b"): Route(((740, 834), (740, 720)), (740, 779)),
    (S.DISPUTED, S.APPROVED, "T16a"): Route(((800, 856), (1164, 856), (1164, 233)), (945, 856)),
    (S.DISPUTED, S.REJECTED_FINAL, "T16b"): Route(((800, 902), (1110, 902)), (945, 902)),
    (S.DISPUTED, S.REJECTED_FINAL, "T11b"): Route(((800, 947), (1110, 947)), (945, 947)),
}
