"""A hand's signature as a line of points: the same name always signs alike."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from cpor.devstack.samples.text import legible

#: Points between two turns of the pen.
STEPS = 5
Point = tuple[float, float]


def signature(name: str, width: float, height: float) -> list[Point]:
    """Points within `width` × `height` (any unit, y downwards), to be joined in order."""
    random = Random(f"signature of {legible(name)}")
    turns = _turns(random, max(5, min(14, len(name))), width, height)
    points = [point for start, end in pairwise(turns) for point in _stroke(start, end)]
    return points + _flourish(random, points[-1], width, height)


def _turns(random: Random, count: int, width: float, height: float) -> list[Point]:
    """Where the pen turns, up and down: a tall first letter, then a hurried hand that gets flatter."""
    base = height * 0.7
    turns: list[Point] = [(0.0, base), (width * 0.06, height * 0.02), (width * 0.03, height * 0.98)]
    for index in range(count * 2):
        share = index / (count * 2)
        tall = random.random() < 0.18
        reach = (0.62 if tall else 0.3 * (1.15 - share)) * height * random.uniform(0.6, 1.1)
        upward = index % 2 == 0
        x = width * (0.1 + 0.72 * share) + (random.uniform(0.0, 0.045) if upward else -0.02) * width
        turns.append((x, base - reach if upward else base + reach * 0.12))
    return turns


def _stroke(start: Point, end: Point) -> list[Point]:
    """From turn to turn, slow at both ends and bowed to the side as a wrist does."""
    bow = 0.22 * (end[1] - start[1])
    strokes = []
    for step in range(STEPS):
        share = step / STEPS
        eased = (1 - math.cos(math.pi * share)) / 2
        x = start[0] + (end[0] - start[0]) * share + bow * math.sin(math.pi * share) * 0.6
        strokes.append((x, start[1] + (end[1] - start[1]) * eased))
    return strokes


def _flourish(random: Random, last: Point, width: float, height: float) -> list[Point]:
    """The line with which most people end."""
    rise = random.uniform(0.1, 0.35) * height
    return [
        (last[0] + (width - last[0]) * share, last[1] - rise * math.sin(share * math.pi * 0.9))
        for share in (step / 12 for step in range(1, 13))
    ]
