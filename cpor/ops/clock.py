"""`cpor clock show|advance`: the test clock."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Annotated

import typer

from cpor.domain.vocabulary import instant_text
from cpor.ops import screen
from cpor.ops.book import read_claims
from cpor.ops.errors import NotReachable, Refused, WrongUse
from cpor.ops.figures import is_idle, read_workers
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.running import clock_text
from cpor.runtime.clock import TestClock, wall_ms

clock = typer.Typer(name="clock", no_args_is_help=True, help="The test clock of an instance that has one.")

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_LENGTH = re.compile(r"(\d{1,6})(ms|s|m|h|d|w)")
IDLE_SECONDS = 120.0


@clock.command("show")
def show(data: DataDir = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show what the instance's clock says."""
    instance = find_instance(data)
    if as_json:
        kind = "test" if instance.test_clock else "system"
        screen.print_json({"now": instant_text(instance.clock.now()), "kind": kind})
    else:
        print(clock_text(instance))


@clock.command("advance")
def advance(
    length: Annotated[str, typer.Argument(metavar="LENGTH", help="How far: 90s, 30m, 12h, 14d, 2w, or 1d12h.")],
    data: DataDir = DEFAULT_DATA,
) -> None:
    """Move the test clock on, from one due instant to the next, waiting for all workers after each step."""
    ms = length_ms(length)
    instance = find_instance(data)
    target = test_clock(instance).now() + ms
    with screen.progress(transient=True) as bars:
        bar = bars.add_task("advancing", total=None)
        advance_to(instance, target, lambda done, of: bars.update(bar, completed=done, total=of))
    screen.done(clock_text(instance))


def length_ms(text: str) -> int:
    """`14d`, `1d12h` in ms. Raises WrongUse."""
    parts = _LENGTH.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise WrongUse(f"a length is a number and one of {', '.join(UNITS)}, such as 14d or 1d12h; not {text}")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def test_clock(instance: Instance) -> TestClock:
    """Raises Refused where the instance runs on the system's clock."""
    if instance.test_clock is None:
        raise Refused(
            "this instance runs on the system's clock; `cpor up --test-clock INSTANT` makes one that can be moved"
        )
    return TestClock(instance.test_clock)


def advance_to(instance: Instance, target: int, told: Callable[[int, int], None] = lambda done, of: None) -> None:
    """Step to each instant at which a clock of some claim runs out, then to `target`; wait until idle after each."""
    moved = test_clock(instance)
    await_idle(instance)
    steps = [*due_instants(instance, moved.now(), target), target]
    for number, step in enumerate(steps):
        told(number, len(steps))
        if step > moved.now():
            moved.set(step)
        await_idle(instance)
    told(len(steps), len(steps))


def due_instants(instance: Instance, after: int, until: int) -> list[int]:
    """When clocks of claims run out in between, in order; each once."""
    due = {clock.due for claim in read_claims(instance) for clock in claim.state.clocks if clock.remaining is None}
    return sorted(each for each in due if after < each < until)


def await_idle(instance: Instance, seconds: float = IDLE_SECONDS) -> None:
    """Return when nothing waits for anybody and every worker has made a round since. Raises NotReachable."""
    deadline = time.monotonic() + seconds
    asked = wall_ms()
    while not (_all_heard(instance, asked) and is_idle(instance)):
        if time.monotonic() > deadline:
            raise NotReachable(f"the workers were not done within {seconds:.0f} s: see `cpor status`")
        time.sleep(0.1)


def _all_heard(instance: Instance, since: int) -> bool:
    """Health is told once a second, after a round: who told since has read the clock's file as it is now."""
    alive = [each for each in read_workers(instance) if each.state not in ("ended", "stopped")]
    return all(wall_ms() - each.silent_ms >= since for each in alive)
