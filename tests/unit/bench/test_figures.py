"""The bench's own arithmetic: whom a sample is charged to, what a row says, what is kept."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from bench import report
from bench.conditions import conditions
from bench.latency import Waits
from bench.profiling import Sampler, class_of
from bench.throughput import Figure
from cpor.domain.ids import name_id


@pytest.mark.parametrize(
    ("place", "share"),
    [
        ("site-packages/kafka/producer/kafka.py:send", "client: send"),
        ("cpor/runtime/transport/kafka_write.py:send", "client: send"),
        ("site-packages/kafka/consumer/fetcher.py:_unpack_records", "client: poll"),
        ("site-packages/pydantic/type_adapter.py:validate_python", "JSON and pydantic"),
        ("cpor/domain/ids.py:name_id", "ids and headers"),
        ("cpor/runtime/store/rows.py:get", "store and overlay"),
        ("cpor/domain/deciding/dialogue.py:comment", "decide and evolve"),
        ("project/services/review/publish.py:changes", "the service's own rules"),
        ("cpor/runtime/worker.py:_process", "the kernel's loop"),
        ("lib/python3.11/enum.py:__get__", None),
    ],
)
def test_code_is_charged_to_the_first_class_that_names_it_else_to_its_caller(place: str, share: str | None) -> None:
    assert class_of(place) == share


def test_a_sampler_charges_the_time_of_what_runs_to_its_class() -> None:
    until = time.thread_time() + 0.3
    with Sampler() as sampler:
        while time.thread_time() < until:
            name_id("x" * 10_000)
    shares = sampler.shares()
    assert next(iter(shares)) == "ids and headers"
    assert sum(shares.values()) == pytest.approx(100, abs=1)


def test_a_figure_says_what_was_sent_per_command_by_kind_of_topic() -> None:
    sends = Counter({"cpor.partners.B-1.receipts": 10, "cpor.claims.events": 10, "cpor.claims.state": 1})
    row = Figure("review", "small commands", 10, 0.5, 0.001, sends).row()
    assert row["per_second"] == 20
    assert row["cpu_us_per_command"] == 100
    assert row["sends_per_command"] == 2.1
    assert row["sends"] == "receipts 1.00, events 1.00, state 0.10"


def test_percentiles_of_waits_are_those_of_the_commands() -> None:
    waits = Waits(seen=[float(ms) for ms in range(101)], appended=[5.0] * 101)
    seen, appended = waits.rows(200.0)
    assert (seen["p50_ms"], seen["p90_ms"], seen["p99_ms"], seen["max_ms"]) == (50, 90, 99, 100)
    assert appended["max_ms"] == 5


def test_figures_are_kept_with_their_conditions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPOR_PLATFORM", "external")
    place = report.save(tmp_path / "figures.json", conditions(), {"throughput": [{"per_second": 1}]})
    kept = json.loads(place.read_text())
    assert kept["tables"]["throughput"] == [{"per_second": 1}]
    assert kept["conditions"]["packages"]["kafka-python"]
    assert len(kept["conditions"]["load_before"]) == 3
