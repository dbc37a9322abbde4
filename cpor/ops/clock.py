"""`cpor clock show|advance`: the test clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

import typer

from cpor.domain.vocabulary import instant_text
from cpor.ops import screen
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.rest import Rest, resting
from cpor.ops.running import clock_text
from cpor.runtime.clock import TestClock

clock = typer.Typer(name="clock", no_args_is_help=True, help="The test clock of an instance that has one.")

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_LENGTH = re.compile(r"(\d{1,6})(ms|s|m|h|d|w)")


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
    began = test_clock(instance).now()
    with screen.progress(counted=False, transient=True) as bars:
        bar = bars.add_task("waiting for rest", total=ms)

        def told(now: int, steps: int) -> None:
            shown = f"{screen.moment(now)}, {screen.counted(steps, 'step')}"
            bars.update(bar, completed=min(now - began, ms), description=shown)

        with resting(instance) as rest:
            step_to(rest, test_clock(instance), began + ms, told)
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


def step_to(rest: Rest, clock: TestClock, target: int, told: Callable[[int, int], None], *, together: int = 0) -> None:
    """Step to each instant at which a timer of any worker is due, then to `target`, and wait for rest after each: what
    is due has happened, with all that follows from it, before time goes on. `told` hears the time and the steps so far.

    `together`: who is in a hurry goes so many ms further with each step, and what is due in them fires in one.
    Raises NotReachable where a step does not come to rest.
    """
    steps, due = 0, rest.wait(clock.now())
    while (now := clock.now()) < target:
        told(now, steps)
        step = target if due is None else min(due + together, target)
        if step > now:  # else time went by it on its own
            clock.set(step)
            steps += 1
        due = rest.wait(step)
    told(now, steps)


def await_idle(instance: Instance) -> None:
    """Return when nothing waits for anybody and no timer is due. Raises NotReachable."""
    with resting(instance) as rest:
        rest.wait(instance.clock.now())
