from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest
from PIL import Image

from services.intake.poe.errors import InspectorUnavailable
from services.intake.poe.inspectors import InspectorPool
from services.intake.poe.limits import MIB, P2023, Limits
from services.intake.poe.verdict import Accepted, Inspection, Refused
from tests.unit.intake.poe.documents import DOCX, JPEG, PDF, PNG, codes, good, judge, word

#: 8 MB of XML: a second of work, and still no bomb by its size.
ELEMENTS = 2_000_000


@contextmanager
def pool(limits: Limits = P2023, processes: int = 1) -> Iterator[InspectorPool]:
    inspectors = InspectorPool(limits, processes)
    try:
        yield inspectors
    finally:
        inspectors.close()


def ask(inspectors: InspectorPool, document: bytes, mime: str) -> Inspection:
    digest = hashlib.sha256(document).hexdigest()
    return inspectors.inspect(document, declared_type=mime, declared_size=len(document), declared_sha256=digest)


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "services.intake.poe.sandbox" in child.cmdline()]


def test_an_inspecting_process_says_the_same_as_inspection_here() -> None:
    with pool() as inspectors:
        for mime in (PDF, DOCX, PNG, JPEG):
            for document in (good(mime), good(mime)[:-900], b"", b"rubbish"):
                assert ask(inspectors, document, mime) == judge(document, mime)


def test_a_document_that_takes_too_much_processor_time_is_unreadable_and_the_next_one_is_read() -> None:
    slow = word(b"<a>" + b"<b/>" * ELEMENTS + b"</a>")
    with pool(dataclasses.replace(P2023, max_cpu_seconds=0.4)) as inspectors:
        verdict = ask(inspectors, slow, DOCX)
        assert isinstance(verdict, Refused)
        assert "too long" in verdict.problems[0].detail
        assert isinstance(ask(inspectors, good(PDF), PDF), Accepted)


def test_a_document_that_takes_too_much_memory_is_unreadable_and_the_next_one_is_read() -> None:
    buffer = io.BytesIO()
    Image.new("L", (5_500, 5_500)).convert("RGBA").save(buffer, "PNG")
    with pool(dataclasses.replace(P2023, max_memory_bytes=128 * MIB)) as inspectors:
        assert codes(ask(inspectors, buffer.getvalue(), PNG)) == ("document_unreadable",)
        assert isinstance(ask(inspectors, good(PDF), PDF), Accepted)


def test_a_killed_inspecting_process_is_replaced_without_anyone_noticing() -> None:
    with pool() as inspectors:
        ask(inspectors, good(PDF), PDF)
        (child,) = children()
        child.kill()
        child.wait(10)
        assert isinstance(ask(inspectors, good(PDF), PDF), Accepted)


def test_a_process_that_cannot_be_started_is_our_passing_fault_and_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    with pool() as inspectors:
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")
        with pytest.raises(InspectorUnavailable):
            ask(inspectors, good(PDF), PDF)


def test_a_process_that_does_not_answer_is_our_passing_fault_and_no_verdict() -> None:
    inspectors = InspectorPool(P2023, 1, wall_seconds=0.3)
    try:
        inspectors.start()
        (child,) = children()
        child.send_signal(signal.SIGSTOP)
        with pytest.raises(InspectorUnavailable):
            ask(inspectors, good(JPEG), JPEG)
    finally:
        inspectors.close()


def test_inspecting_processes_know_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPOR_S3_SECRET_KEY", "a secret")
    with pool() as inspectors:
        ask(inspectors, good(PDF), PDF)
        (child,) = children()
        assert "CPOR_S3_SECRET_KEY" not in child.environ()


def test_many_threads_share_the_processes() -> None:
    with pool(processes=2) as inspectors, ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(lambda _: ask(inspectors, good(PDF), PDF), range(40)))
        assert len(children()) == 2
    assert all(isinstance(verdict, Accepted) for verdict in verdicts)
    assert not children()


PARENT = """
import sys
from services.intake.poe.inspectors import InspectorPool
from services.intake.poe.limits import P2023
inspectors = InspectorPool(P2023, 1)
inspectors.inspect(b"x", declared_type="x", declared_size=1, declared_sha256="x")
print("ready", flush=True)
sys.stdin.read()
"""


def test_an_inspecting_process_ends_when_its_parent_is_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
    gone, _ = psutil.wait_procs([child], timeout=20)
    assert gone == [child]


#: In a process of its own: what it once held stays its peak, and would be that of all later tests.
LARGE_WORKER = """
from services.intake.poe.inspectors import InspectorPool
from services.intake.poe.limits import P2023
from tests.unit.intake.poe.documents import PDF, good
from tests.unit.intake.poe.test_inspectors import ask

held = b"x" * (600 * 1024 * 1024)
inspectors = InspectorPool(P2023, 1)
print(type(ask(inspectors, good(PDF), PDF)).__name__)
inspectors.close()
"""


def test_a_large_worker_has_its_documents_inspected_too() -> None:
    """A started process inherits the peak of its parent's memory: it must not take it for its own and retire."""
    ended = subprocess.run(
        [sys.executable, "-c", LARGE_WORKER], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "Accepted"), ended.stderr[-500:]
