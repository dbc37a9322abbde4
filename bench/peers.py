"""Review beside the same rules on Quix Streams: the same records and machine, in turns, each run in its own process.

A run counts only if its answers are those of all others: the same events, the same receipts (by their ids), and each
claim's newest snapshot at the same sequence.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from kafka import KafkaAdminClient

from bench.contender import CONTENDERS, Backlog, Run
from bench.stage import Say
from bench.throughput import Bench
from bench.world import COUNTS, World
from cpor.runtime.record import Output, last_header
from cpor.runtime.topics import FIXED_TOPICS, Topic, TopicSpec, partner_topics, receipts_topic
from schemas import envelope

RUN_SECONDS = 300
_REVIEWS = (
    Topic.CLAIM_COMMANDS, Topic.CLAIM_EVENTS, Topic.CLAIM_STATE, Topic.ASSOCIATIONS, Topic.APPROVED, Topic.ELIGIBLE,
    Topic.REVIEW_PARKED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """What a run left in its topics; runs are equal when their answers are, however many snapshots it took."""

    ids: frozenset[tuple[str, bytes]]
    sequences: dict[str, int]
    sent: Counter[str] = field(compare=False)


class Series:
    """Runs of both contenders over one backlog of `comments` small commands on `claims` drafts."""

    def __init__(self, world: World, comments: int, say: Say) -> None:
        self._world = world
        self._say = say
        self._commands = self._backlog(comments)
        self._admin = KafkaAdminClient(bootstrap_servers=world.endpoints.kafka_bootstrap)
        self._answers: Answers | None = None

    def _backlog(self, comments: int) -> list[Output]:
        """What intake appended to review's inbox, in order of each partition."""
        world, bench = self._world, Bench(self._world.endpoints)
        try:
            world.prepare()
            sent = world.send(world.creates()) + world.send(world.comments(comments))
            bench.drain("intake", "backlog", sent)
        finally:
            bench.close()
        records = list(world.read_all([Topic.CLAIM_COMMANDS]))
        assert len(records) == sent, "intake admitted everything"
        return [Output(r.topic, r.partition, r.key, r.value, list(r.headers)) for r in records]

    def run(self, contender: str, number: int) -> tuple[Run, Answers]:
        """One run on topics filled anew. Raises RuntimeError where the process fails or its answers differ."""
        prefix = "" if contender == "review" else f"bench.{number}."
        self._fill(prefix)
        with tempfile.TemporaryDirectory(prefix="cpor-bench-") as home:
            found = self._process(contender, self._described(prefix), Path(home))
        answers = self._read_answers(prefix)
        if self._answers not in (None, answers):
            raise RuntimeError(f"{contender} answered otherwise than the runs before it")
        self._answers = answers
        return found, answers

    def _described(self, prefix: str) -> Backlog:
        world = self._world
        return Backlog(
            bootstrap=world.endpoints.kafka_bootstrap,
            partner=world.partner,
            commands=len(self._commands),
            prefix=prefix,
            partner_row=json.dumps(world.partner_row()),
            customer_rows={claim.tenant: json.dumps(world.customer_row(claim.tenant)) for claim in world.claims},
        )

    def _fill(self, prefix: str) -> None:
        specs = self._specs(prefix)
        if not prefix:
            self._delete([spec.name for spec in specs])
        admin = self._world.transport.admin()
        admin.create(specs, COUNTS)
        admin.close()
        self._world.send(each._replace(topic=f"{prefix}{each.topic}") for each in self._commands)

    def _specs(self, prefix: str) -> list[TopicSpec]:
        receipts = next(s for s in partner_topics(self._world.partner) if s.name == receipts_topic(self._world.partner))
        ours = [spec for spec in FIXED_TOPICS if spec.name in _REVIEWS]
        return [replace(spec, name=f"{prefix}{spec.name}") for spec in (*ours, receipts)]

    def _delete(self, names: list[str]) -> None:
        """Positions committed on a deleted topic go with it."""
        self._admin.delete_topics(names)
        deadline = time.monotonic() + 30
        while any(not told["error_code"] for told in self._admin.describe_topics(names)):
            if time.monotonic() > deadline:
                raise TimeoutError("the topics of the run before were not deleted")
            time.sleep(0.1)

    def _process(self, contender: str, backlog: Backlog, home: Path) -> Run:
        told, log = home / "backlog.json", home / "log"
        backlog.save(told)
        command = [sys.executable, "-m", "bench.contender", contender, str(told), str(home)]
        with log.open("w") as err:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=err, timeout=RUN_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"{contender} failed:\n{log.read_text()[-2000:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        found.pop("process_seconds")
        return Run(**found)

    def _read_answers(self, prefix: str) -> Answers:
        world = self._world
        snapshots = f"{prefix}{Topic.CLAIM_STATE}" if not prefix else self._changelog(prefix)
        topics = {f"{prefix}{Topic.CLAIM_EVENTS}": "events", f"{prefix}{receipts_topic(world.partner)}": "receipts"}
        ids: set[tuple[str, bytes]] = set()
        sequences: dict[str, int] = {}
        sent: Counter[str] = Counter()
        for record in world.read_all([*topics, snapshots]):
            kind = topics.get(record.topic, "snapshots")
            sent[kind] += 1
            if kind == "snapshots":
                state = json.loads(record.value or b"{}")
                sequences[state["claim_id"]] = state["sequence"]
            else:
                ids.add((kind, last_header(record.headers, envelope.ID) or b""))
        return Answers(frozenset(ids), sequences, sent)

    def _changelog(self, prefix: str) -> str:
        """Quix names it after the group and the source."""
        admin = self._world.transport.admin()
        found = [name for name in admin.partition_counts() if name.startswith("changelog") and prefix in name]
        admin.close()
        return found[0]

    def close(self) -> None:
        self._admin.close()


def peers(world: World, comments: int, pairs: int, say: Say) -> list[dict[str, Any]]:
    """`pairs` runs of each contender in turns, then their medians and the ratio of review's to Quix's."""
    series = Series(world, comments, say)
    rows: list[dict[str, Any]] = []
    try:
        for number in range(pairs):
            for contender in CONTENDERS:
                run, answers = series.run(contender, number)
                rows.append(row(run, answers))
                say(f"{contender}, run {number + 1} of {pairs}: {rows[-1]['per_second']:,} commands/s")
    finally:
        series.close()
    return [*rows, *_medians(rows)]


def row(run: Run, answers: Answers) -> dict[str, Any]:
    sends = {
        f"{kind}_per_command": round(answers.sent[kind] / run.commands, 2)
        for kind in ("events", "receipts", "snapshots")
    }
    return {
        "contender": run.contender,
        "commands": run.commands,
        "per_second": round(run.commands / run.seconds),
        "cpu_us_per_command": round(1e6 * run.cpu_seconds / run.commands, 1),
        "rounds": run.rounds,
        **sends,
    }


def _medians(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {name: _median(name, [row for row in rows if row["contender"] == name]) for name in CONTENDERS}
    ours, theirs = found["review"], found["quix"]
    numbers = {
        key: round(ours[key] / theirs[key], 2) for key, value in ours.items() if _is_number(value) and theirs[key]
    }
    return [*found.values(), {**dict.fromkeys(ours, "-"), "contender": "ratio review : quix", **numbers}]


def _median(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    numbers = {key: median(row[key] for row in rows) for key, value in rows[0].items() if _is_number(value)}
    return {**rows[0], **numbers, "contender": f"{name}, median"}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
