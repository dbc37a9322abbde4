"""A deadline's explanation as a picture: SVG without a font, a script or a colour that it could not do without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from cpor.domain.calendar_explain import Day, DayKind
from cpor.ops.deadline_picture import WEEKDAYS, facts, last_day, legend, months, state_text, weeks
from cpor.ops.deadline_runs import Explanation
from cpor.ops.deadline_words import LOOKS, day_text, day_words, mark_of

WIDTH = 960
_MARGIN = 24
_CELL_W, _CELL_H = 62, 46
_PANEL_W = 7 * _CELL_W + 22
_LINE = 20
#: Of a line of facts; longer ones are folded.
_CHARACTERS = 118
_PANELS = (WIDTH - 2 * _MARGIN) // _PANEL_W
_INK, _GREY, _RULE = "#1f2328", "#5f6368", "#d0d7de"


@dataclass(frozen=True, slots=True)
class Part:
    """Some elements, drawn from 0 downwards, and their height in pixels."""

    elements: tuple[str, ...]
    height: int


def picture(explanations: Sequence[tuple[str, Explanation]]) -> str:
    """One SVG of all explanations, each named by its claim, below each other."""
    parts = [_explanation(ref, told) for ref, told in explanations]
    height = sum(part.height for part in parts) + 2 * _MARGIN
    title = escape("; ".join(f"{ref} {told.run.clock}" for ref, told in explanations))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"',
            '     font-family="system-ui, sans-serif" font-size="13" role="img">',
            f"<title>{title}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *_stacked(parts, _MARGIN, _MARGIN),
            "</svg>\n",
        ]
    )


def _stacked(parts: Sequence[Part], x: int, y: int) -> Iterator[str]:
    for part in parts:
        yield f'<g transform="translate({x} {y})">'
        yield from part.elements
        yield "</g>"
        y += part.height


def _explanation(ref: str, told: Explanation) -> Part:
    parts = [_heading(f"{ref}  {told.run.clock}", state_text(told)), _facts(told), *_calendars(told), _names(told)]
    return Part(tuple(_stacked(parts, 0, 0)), sum(part.height for part in parts) + _MARGIN)


def _heading(title: str, state: str) -> Part:
    named = f'{escape(title)}<tspan font-size="13" font-weight="400" fill="{_GREY}">   {escape(state)}</tspan>'
    return Part(
        (f'<text y="18" font-size="19" font-weight="600" fill="{_INK}" xml:space="preserve">{named}</text>',), 34
    )


def _facts(told: Explanation) -> Part:
    elements: list[str] = []
    y = 12
    for name, value in facts(told):
        elements.append(_text(0, y, name, _GREY))
        for line in _folded(value):
            elements.append(_text(76, y, line, "#8c1d18" if name == "but" else _INK, bold=name == "due"))
            y += _LINE
    return Part(tuple(elements), y + 4)


def _folded(value: str) -> Iterator[str]:
    line = ""
    for word in value.split(" "):
        if line and len(line) + 1 + len(word) > _CHARACTERS:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _calendars(told: Explanation) -> Iterator[Part]:
    """The months in rows, as many beside each other as there is room for."""
    known = {each.day: each for each in told.days}
    panels = [_panel(month, known, last_day(told)) for month in months(told.days)]
    for n in range(0, len(panels), _PANELS):
        row = panels[n : n + _PANELS]
        elements = [each for place, panel in enumerate(row) for each in _stacked([panel], place * _PANEL_W, 0)]
        yield Part(tuple(elements), max(panel.height for panel in row) + 8)


def _panel(month: date, known: Mapping[date, Day], last: date | None) -> Part:
    middle = 7 * _CELL_W // 2
    elements = [_text(middle, 16, f"{month:%B %Y}", _INK, bold=True, anchor="middle")]
    elements += [
        _text(place * _CELL_W + _CELL_W // 2, 38, name, _GREY, anchor="middle") for place, name in enumerate(WEEKDAYS)
    ]
    rows = weeks(month)
    for number, week in enumerate(rows):
        for place, day in enumerate(week):
            if day is not None:
                elements += _cell(place * _CELL_W, 46 + number * _CELL_H, day, known.get(day), day == last)
    return Part(tuple(elements), 46 + len(rows) * _CELL_H + 10)


def _cell(x: int, y: int, day: date, known: Day | None, last: bool) -> Iterator[str]:
    look = LOOKS[known.kind] if known else None
    fill, ink = (look.fill, look.ink) if look else ("none", "#9aa0a6")
    edge, thick = (_INK, 2.5) if last else (_RULE, 1)
    yield "<g>"
    if known:
        yield f"<title>{escape(f'{day_text(day)}: {day_words(known)}')}</title>"
    yield (
        f'<rect x="{x + 2}" y="{y + 2}" width="{_CELL_W - 4}" height="{_CELL_H - 4}" rx="5" fill="{fill}" '
        f'stroke="{edge}" stroke-width="{thick}"/>'
    )
    yield _text(x + 8, y + 17, str(day.day), ink)
    if known:
        yield _text(x + _CELL_W // 2, y + 36, mark_of(known, last), ink, bold=True, anchor="middle")
    yield "</g>"


def _names(told: Explanation) -> Part:
    """What the marks mean, and the days that have a name or an unusual length."""
    named = [day for day in told.days if day.holiday or day.kind is DayKind.PUBLIC_HOLIDAY or day.minutes != 1440]
    lines = [legend(told), *(f"{day_text(day.day)}: {day_words(day)}" for day in named)]
    elements = tuple(_text(0, 10 + n * _LINE, line, _GREY) for n, line in enumerate(lines))
    return Part(elements, 10 + len(lines) * _LINE)


def _text(x: int, y: int, said: str, ink: str, *, bold: bool = False, anchor: str = "start") -> str:
    weight = ' font-weight="600"' if bold else ""
    middle = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x}" y="{y}" fill="{ink}"{weight}{middle} xml:space="preserve">{escape(said)}</text>'
