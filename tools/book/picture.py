"""The states of an edition as an SVG: text that can be selected, light and dark, told apart without colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from cpor.domain.clocks import STATUS_CLOCK, UNDECIDED
from cpor.domain.policy import Policy, policy
from cpor.domain.vocabulary import ActorKind, Clock, Edition, Status
from tools.book.markdown import length
from tools.book.places import BOXES, DOT, FRAME, HEIGHT, ROUTES, START, WIDTH, Box, Route
from tools.book.ways import Way, ways

CORNER = 10
Points = tuple[tuple[int, int], ...]
CLOCKS: Mapping[Status, Clock] = STATUS_CLOCK | {Status.REJECTED: Clock.DISPUTE_WINDOW}
ENDS = (Status.CANCELLED, Status.REJECTED_FINAL)
STYLE = """
    .paper { fill: #fbfbf8; }
    .frame { fill: #f1f3f6; stroke: #8a8f98; stroke-dasharray: 2 4; }
    .state { fill: #e8eef7; stroke: #274b80; stroke-width: 1.6; }
    .ends { stroke-width: 4; }
    .line { fill: none; stroke: #3c444e; stroke-width: 1.8; }
    .lapse { stroke-dasharray: 7 5; }
    .twice { stroke-width: 5.5; }
    .between { fill: none; stroke: #fbfbf8; stroke-width: 2; }
    .heads { fill: none; stroke: none; marker-end: url(#tip); }
    .tip, .dot { fill: #3c444e; }
    .label { fill: #ffffff; stroke: #8a8f98; }
    .label.customer { stroke: #3c444e; stroke-width: 2.4; }
    .label.lapse { stroke-dasharray: 5 4; stroke: #3c444e; }
    text { fill: #1b1f24; text-anchor: middle; }
    .small { font-size: 12px; fill: #434a54; }
    .bold { font-weight: bold; }
    .left { text-anchor: start; }
    .mono { font-family: Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 12px; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #15181d; }
      .frame { fill: #1b2027; stroke: #7d8590; }
      .state { fill: #1c2a3f; stroke: #9cc1f5; }
      .line { stroke: #c9d1d9; }
      .between { stroke: #15181d; }
      .tip, .dot { fill: #c9d1d9; }
      .label { fill: #262d37; stroke: #7d8590; }
      .label.customer, .label.lapse { stroke: #c9d1d9; }
      text { fill: #e6edf3; }
      .small { fill: #b4bcc6; }
    }
"""


class NoPlace(LookupError):
    """A way has no route in `tools.book.places`: the table of transitions has changed; draw it there."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way as it is drawn: `begin` and `end` are names of `BOXES`, or the dot."""

    begin: str
    end: str
    way: Way

    @property
    def route(self) -> Route:
        """Raises NoPlace."""
        key = (self.begin, self.end, self.way.number)
        if key not in ROUTES:
            raise NoPlace(f"no route for {' → '.join(key[:2])}, {key[2]}; see NoPlace")
        return ROUTES[key]

    @property
    def double(self) -> bool:
        return self.way.who is ActorKind.CUSTOMER

    @property
    def words(self) -> tuple[str, str]:
        return self.way.what, f"{'time' if self.way.lapse else self.way.who} · {self.way.number}"


def arrows(edition: Edition) -> list[Arrow]:
    """One for each way; what holds alike for all that is undecided is one arrow from the frame."""
    found = ways(edition)
    alike = {_without_begin(each) for each in found if _from_all(each, found)}
    framed = [Arrow(FRAME, each.end, each) for each in found if each.begin == UNDECIDED[0] and _is_in(each, alike)]
    own = [each for each in found if each.begin not in UNDECIDED or not _is_in(each, alike)]
    return [*framed, *(Arrow(each.begin or START, each.end, each) for each in own)]


def _without_begin(way: Way) -> tuple[object, ...]:
    return way.end, way.who, way.what, way.number, way.lapse


def _is_in(way: Way, alike: set[tuple[object, ...]]) -> bool:
    return _without_begin(way) in alike


def _from_all(way: Way, found: Iterable[Way]) -> bool:
    begins = {each.begin for each in found if _without_begin(each) == _without_begin(way)}
    return begins >= {*UNDECIDED}


def picture(edition: Edition) -> str:
    """The whole file. Raises NoPlace."""
    drawn = arrows(edition)
    rules = policy(edition)
    shown = dict.fromkeys(Status(each) for arrow in drawn for each in (arrow.begin, arrow.end) if each in [*Status])
    parts = [
        *_head(rules, drawn),
        *_frame(rules),
        *(_line(each) for each in drawn),
        *(_state(rules, status) for status in shown),
        *(_label(each) for each in drawn),
        *_legend(),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _head(rules: Policy, drawn: Iterable[Arrow]) -> Iterator[str]:
    said = "; ".join(_sentence(each) for each in drawn)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title desc" font-family="Helvetica, Arial, \'DejaVu Sans\', sans-serif" font-size="14">'
    )
    yield f'<title id="title">The states of a claim, edition {rules.edition}</title>'
    yield f'<desc id="desc">{escape(said)}.</desc>'
    yield f"<style>{STYLE}</style>"
    yield (
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9.5" refY="5" markerWidth="14" markerHeight="14" '
        'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>'
    )
    yield f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="10"/>'
    yield f'<text class="bold left" x="24" y="30" font-size="18">The states of a claim, edition {rules.edition}</text>'


def _sentence(arrow: Arrow) -> str:
    """By codes: a label may stand for two statuses (D25)."""
    names = {START: "nothing", FRAME: "any status before the decision"}
    begin, end = (names.get(each) or each.replace("_", " ") for each in (arrow.begin, arrow.end))
    leads = f"stays {end}" if arrow.begin == arrow.end else f"from {begin} to {end}"
    return f"{leads}: {arrow.way.what} ({arrow.words[1].replace(' ·', ',')})"


def _frame(rules: Policy) -> Iterator[str]:
    box = BOXES[FRAME]
    yield f'<rect class="frame" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="12"/>'
    whole = rules.clocks.get(Clock.OVERALL_DECISION)
    said = "before the decision" + (f": {length(whole)} from the first submission" if whole else "")
    yield f'<text class="small left" x="{box.x + 120}" y="{box.y + 18}">{said}</text>'
    yield f'<circle class="dot" cx="{DOT[0]}" cy="{DOT[1]}" r="9"/>'


def _path(points: Points) -> str:
    """Straight pieces with rounded corners."""
    steps = [f"M{points[0][0]} {points[0][1]}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        (x1, y1), (x2, y2) = _towards(here, before), _towards(here, after)
        steps.append(f"L{x1} {y1}Q{here[0]} {here[1]} {x2} {y2}")
    return "".join([*steps, f"L{points[-1][0]} {points[-1][1]}"])


def _towards(here: tuple[int, int], there: tuple[int, int]) -> tuple[int, int]:
    x, y = ((n > 0) - (n < 0) for n in (there[0] - here[0], there[1] - here[1]))
    return here[0] + CORNER * x, here[1] + CORNER * y


def _line(arrow: Arrow) -> str:
    return _stroke(arrow.route.points, lapse=arrow.way.lapse, double=arrow.double)


def _stroke(points: Points, *, lapse: bool, double: bool) -> str:
    """The line ends inside its head, which is narrower there than the line may be."""
    path = _path((*points[:-1], _towards(points[-1], points[-2])))
    kind = "line lapse" if lapse else "line twice" if double else "line"
    between = f'<path class="between" d="{path}"/>' if double else ""
    return f'<path class="{kind}" d="{path}"/>{between}<path class="heads" d="{_path(points)}"/>'


def _state(rules: Policy, status: Status) -> str:
    box = BOXES[status]
    clock = rules.clocks.get(CLOCKS[status]) if status in CLOCKS else None
    lines = [
        ("bold", rules.labels.statuses[status]),
        ("mono", status.value),
        *([("small", length(clock))] if clock else []),
    ]
    middle, top = box.x + box.width // 2, box.y + box.height // 2 - 9 * len(lines) + 14
    texts = (
        f'<text class="{kind}" x="{middle}" y="{top + 18 * n}">{escape(words)}</text>'
        for n, (kind, words) in enumerate(lines)
    )
    kind = "state ends" if status in ENDS else "state"
    return f"{_rectangle(kind, box, 8)}{''.join(texts)}"


def _rectangle(kind: str, box: Box, round_by: int) -> str:
    return f'<rect class="{kind}" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{round_by}"/>'


def outline(arrow: Arrow) -> Box:
    """Of the label: around its middle, as wide as its words."""
    what, who = arrow.words
    half = round(max(len(what) * 7.2, len(who) * 6.2) / 2) + 7
    x, y = arrow.route.label
    return Box(x - half, y - 19, 2 * half, 38)


def _label(arrow: Arrow) -> str:
    """Pointed where it is the customer's, of a broken line where time acts."""
    (what, who), (x, y), box = arrow.words, arrow.route.label, outline(arrow)
    shape = _hexagon(box) if arrow.double else _rectangle("label lapse" if arrow.way.lapse else "label", box, 4)
    texts = f'<text x="{x}" y="{y - 3}">{escape(what)}</text><text class="small" x="{x}" y="{y + 13}">{who}</text>'
    return shape + texts


def _hexagon(box: Box) -> str:
    left, right, top, bottom = box.x, box.x + box.width, box.y, box.y + box.height
    middle = (top + bottom) // 2
    points = f"{left},{top} {right},{top} {right + 11},{middle} {right},{bottom} {left},{bottom} {left - 11},{middle}"
    return f'<polygon class="label customer" points="{points}"/>'


def _legend() -> Iterator[str]:
    rows = (
        (False, False, "a partner, reviewer, operator or the system acts"),
        (False, True, "the customer acts"),
        (True, False, "time runs out"),
    )
    for n, (lapse, double, words) in enumerate(rows):
        y = 800 + 30 * n
        yield _stroke(((40, y), (120, y)), lapse=lapse, double=double)
        yield f'<text class="small left" x="136" y="{y + 4}">{words}</text>'
    yield '<text class="small left" x="40" y="894">From the dotted frame: from each status in it.</text>'
    yield '<text class="small left" x="40" y="916">In a box: label, code, and how long its clock runs.</text>'
    yield '<text class="small left" x="40" y="938">A thick border: the end. Numbers: the steps of the rule book.</text>'
