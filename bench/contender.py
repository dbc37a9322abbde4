"""One contender over one backlog, in a process of its own: `python -m bench.contender review|quix BACKLOG.json HOME`.

It prints one line of JSON, a `Run`. The backlog's topics are filled before, and read again afterwards by `bench.peers`.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.throughput import Bench
from cpor.devstack.endpoints import Endpoints
from cpor.domain import directory
from cpor.runtime import logs
from cpor.runtime.topics import Topic, receipts_topic
from services.review.tables import CUSTOMERS, PARTNERS

CONTENDERS = ("review", "quix")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Where the commands lie. `prefix` stands before the claim topics' names; review's own have none."""

    bootstrap: str
    partner: str
    commands: int
    prefix: str
    partner_row: str
    customer_rows: dict[str, str]

    @property
    def source(self) -> str:
        return f"{self.prefix}{Topic.CLAIM_COMMANDS}"

    def outputs(self) -> dict[str, str]:
        """Topic as the rules name it → where it is sent."""
        names = [Topic.CLAIM_EVENTS.value, receipts_topic(self.partner)]
        return {name: f"{self.prefix}{name}" for name in names}

    def reference(self) -> dict[tuple[str, bytes], Any]:
        """The partner and the customers, by table and key."""
        found: dict[tuple[str, bytes], Any] = {
            (CUSTOMERS, tenant.encode()): directory.read_customer(row.encode())
            for tenant, row in self.customer_rows.items()
        }
        return found | {(PARTNERS, self.partner.encode()): directory.read_partner(self.partner_row.encode())}

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))


@dataclass(frozen=True, slots=True)
class Run:
    """From the first record to the last commit; CPU time of all threads of the process."""

    contender: str
    commands: int
    seconds: float
    cpu_seconds: float
    rounds: int


def run_quix(backlog: Backlog, home: Path) -> Run:
    from bench.peer_quix import QuixReview  # only in the bench's environment

    contender = QuixReview(backlog, home)
    gc.collect()
    gc.freeze()
    return contender.run()


def run_review(backlog: Backlog, home: Path) -> Run:
    bench = Bench(Endpoints(backlog.bootstrap, "", "", "", home))
    try:
        found = bench.drain("review", "small commands", backlog.commands)
    finally:
        bench.close()
    return Run("review", backlog.commands, found.seconds, found.cpu_seconds, found.rounds)


def main(contender: str, backlog: Path, home: Path) -> None:
    logs.configure("bench", contender)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    told = Backlog(**json.loads(backlog.read_text()))
    began = time.monotonic()
    found = (run_quix if contender == "quix" else run_review)(told, home)
    print(json.dumps(asdict(found) | {"process_seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
