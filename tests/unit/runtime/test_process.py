"""A worker as a process: how it ends, what it logs, what it tells of itself."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from cpor.runtime.errors import ExitCode, Fenced
from cpor.runtime.health import Health, is_fresh, is_heard, read_health
from cpor.runtime.logs import Sparse
from cpor.runtime.main import locked
from cpor.runtime.metrics import CATALOGUE, serve
from cpor.runtime.settings import Settings

#: A worker whose processor cannot even be built, with a thread that would keep an ordinary process for a minute.
BROKEN = """
import threading, time
from cpor.runtime import main
class Broken(Exception): pass
def build(settings):
    threading.Thread(target=time.sleep, args=(60,)).start()
    raise Broken("no rules")
main.start("broken", build, ["--slot", "a", "--data", "DATA"])
"""

UNANSWERED = """
from kafka.errors import KafkaTimeoutError
from cpor.runtime import main
def build(settings):
    raise KafkaTimeoutError("Unable to bootstrap from 127.0.0.1:9")
main.start("lonely", build, ["--data", "DATA"])
"""

LOGGING = """
import logging, threading, structlog
from cpor.runtime import logs
logs.configure("review", "3")
structlog.get_logger("cpor.runtime").info("assigned", slots=[1])
def told():
    structlog.get_logger("x").warning("from a thread")
    logging.getLogger("kafka.client").warning("node %s is gone", 7)
    try:
        raise ValueError("inner")
    except ValueError:
        logging.getLogger("kafka.client").exception("failed")
thread = threading.Thread(target=told)
thread.start()
thread.join()
"""

STOPPING = """
import time
from cpor.runtime.main import asked_to_end
stopping = asked_to_end()
print("ready", flush=True)
while not stopping():
    time.sleep(0.01)
print("asked", flush=True)
time.sleep(60)
"""


def python(code: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_worker_that_stops_ends_at_once_whatever_its_threads_do(tmp_path: Path) -> None:
    worker = python(BROKEN.replace("DATA", str(tmp_path)), CPOR_KAFKA_BOOTSTRAP="127.0.0.1:9")
    _, told = worker.communicate(timeout=30)
    assert worker.returncode == ExitCode.STOPPED
    last = json.loads(told.strip().splitlines()[-1])
    assert (last["service"], last["slot"], last["level"]) == ("broken", "a", "error")
    health = read_health(tmp_path / "broken" / "a" / "health.json")
    assert health is not None
    assert health["state"] == "stopped"


def test_a_broker_that_does_not_answer_is_named_without_a_traceback(tmp_path: Path) -> None:
    worker = python(UNANSWERED.replace("DATA", str(tmp_path)), CPOR_KAFKA_BOOTSTRAP="127.0.0.1:9")
    _, told = worker.communicate(timeout=30)
    assert worker.returncode == ExitCode.STOPPED
    last = json.loads(told.strip().splitlines()[-1])
    assert (last["event"], last["kafka"]) == ("stopped: Kafka does not answer", "127.0.0.1:9")
    assert "exception" not in last


def test_settings_that_are_missing_are_named_and_end_the_worker(tmp_path: Path) -> None:
    worker = python(BROKEN.replace("DATA", str(tmp_path)), CPOR_KAFKA_BOOTSTRAP="")
    _, told = worker.communicate(timeout=30)
    assert worker.returncode == ExitCode.STOPPED
    assert "CPOR_KAFKA_BOOTSTRAP" in told


def test_a_second_process_on_a_slots_directory_is_fenced_and_told_which(tmp_path: Path) -> None:
    with locked(tmp_path / "broken" / "a"):
        worker = python(BROKEN.replace("DATA", str(tmp_path)), CPOR_KAFKA_BOOTSTRAP="127.0.0.1:9")
        _, told = worker.communicate(timeout=30)
    assert worker.returncode == ExitCode.FENCED
    assert str(tmp_path / "broken" / "a") in told
    assert str(os.getpid()) in told
    assert read_health(tmp_path / "broken" / "a" / "health.json") is None, "the holder's file is not touched"


@pytest.mark.parametrize("module", ["review", "consent.page", "notify.delivery", "notify.bounces"])
def test_every_process_gives_way_to_the_one_that_holds_its_slot(tmp_path: Path, module: str) -> None:
    given = {"CPOR_KAFKA_BOOTSTRAP": "127.0.0.1:9", "CPOR_SMTP": "127.0.0.1:9", "CPOR_BOUNCES": f"maildir:{tmp_path}"}
    command = [sys.executable, "-m", f"services.{module}", "--slot", "a", "--data", str(tmp_path)]
    with locked(tmp_path / module.replace(".", "-") / "a"):
        ended = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, timeout=60)
    assert ended.returncode == ExitCode.FENCED, ended.stderr
    assert str(os.getpid()) in ended.stderr


def test_a_directory_is_free_again_after_its_holder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Fenced), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_every_line_of_the_log_is_json_with_service_and_slot_also_the_clients_and_those_of_threads() -> None:
    process = python(LOGGING)
    _, told = process.communicate(timeout=30)
    lines = [json.loads(line) for line in told.strip().splitlines()]
    assert [line["event"] for line in lines] == ["assigned", "from a thread", "node 7 is gone", "failed"]
    assert {(line["service"], line["slot"]) for line in lines} == {("review", "3")}
    assert "ValueError: inner" in lines[3]["exception"]
    assert lines[2]["logger"] == "kafka.client"


def test_a_library_that_repeats_itself_is_heard_once_and_then_counted() -> None:
    sparse = Sparse(seconds=0.05)
    told = [made("node %s is gone", n) for n in range(100)]
    assert [record.getMessage() for record in told if sparse.filter(record)] == ["node 0 is gone"]
    assert sparse.filter(made("something else"))
    time.sleep(0.06)
    again = made("node %s is gone", 7)
    assert sparse.filter(again)
    assert again.getMessage() == "node 7 is gone (and 99 more like it)"


def made(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("kafka", logging.WARNING, "file", 1, message, arguments, None)


def test_the_first_signal_asks_and_the_second_ends() -> None:
    process = python(STOPPING)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGTERM


def test_metrics_tell_what_health_tells() -> None:
    health = Health("review", "3")
    health.records, health.state, health.slots = 12_345, "running", [0, 1]
    health.counts["delayed"] = 2
    port = serve(health, "127.0.0.1", 0)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        told = answer.read().decode()
    assert 'cpor_worker_records_total{service="review",slot="3"} 12345.0' in told
    assert 'cpor_worker_slots{service="review",slot="3"} 2.0' in told
    assert 'cpor_worker_up{service="review",slot="3"} 1.0' in told
    assert all(f"# HELP {metric.name}" in told for metric in CATALOGUE)
    assert 'cpor_worker_count{name="delayed",service="review",slot="3"} 2.0' in told
    assert serve(health, "127.0.0.1", port) == 0, "a port that is taken is no reason to stop"


def test_a_worker_that_joins_is_heard_of_and_not_yet_fresh(tmp_path: Path) -> None:
    health = Health("review", "3", tmp_path / "health.json")
    health.waits("joining")
    told = read_health(tmp_path / "health.json")
    assert told is not None
    assert is_heard(told)
    assert not is_fresh(told)


@pytest.mark.parametrize(
    ("told", "wanted"), [("9100", ("127.0.0.1", 9100)), ("0.0.0.0:9100", ("0.0.0.0", 9100)), ("", None)]
)
def test_the_metrics_address_is_a_port_or_host_and_port(told: str, wanted: tuple[str, int] | None) -> None:
    env = {"CPOR_KAFKA_BOOTSTRAP": "b:1", "CPOR_METRICS_PORT": told}
    assert Settings.read("review", [], env).metrics == wanted
