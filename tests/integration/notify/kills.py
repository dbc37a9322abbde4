"""Delivery killed at random while many mails go out: `python -m tests.integration.notify.kills --mails 5000 --seed 7`.

Every mail must arrive at least once, and one that comes again must be the same to the byte. Two delivery processes; one
of them, by chance, is killed each time after a number of further arrivals that is chance, too, and started again.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cpor.devstack.platform import open_platform
from tests.integration.notify.group import Group

SLOTS = "01"
#: Mails between two kills, at most.
FURTHEST = 400


@dataclass(frozen=True, slots=True)
class Toll:
    """What it came to. `doubles`: arrivals of mails that had arrived before."""

    mails: int
    kills: int
    arrivals: int
    doubles: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.mails:,} mails, {self.kills} kills, {self.arrivals:,} arrivals in {self.seconds:.0f} s: every mail "
            f"arrived, {self.doubles} of them came again under their own Message-ID, the same to the byte"
        )


def killed_at_random(group: Group, mails: int, seed: int, furthest: int = FURTHEST) -> Toll:
    """Raises AssertionError where a mail is lost, or comes in two forms, or out of its claim's order."""
    chance, began, kills = random.Random(seed), time.monotonic(), 0
    group.start(*SLOTS)
    group.feed(mails)
    while group.arrived() < mails:
        group.until_more_arrived(chance.randint(1, furthest))
        slot = chance.choice(SLOTS)
        group.slots[slot].kill()
        group.slots[slot].wait()
        kills += 1
        group.start(slot)
    group.until_told()
    doubles = group.audit()
    assert group.arrived() == mails + doubles
    return Toll(mails, kills, group.arrived(), doubles, time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Delivery killed at random while many mails go out.")
    parser.add_argument("--mails", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="cpor-kills-", ignore_cleanup_errors=True) as folder,
        open_platform(Path(folder) / "platform") as endpoints,
    ):
        home = Path(folder) / "home"
        home.mkdir()
        group = Group(endpoints.kafka_bootstrap, home)
        try:
            print(killed_at_random(group, told.mails, told.seed))
        finally:
            group.close()


if __name__ == "__main__":
    main()
