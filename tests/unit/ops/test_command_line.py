"""How the command ends: exit codes of contract §7, and one sentence instead of a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpor.devstack.errors import PlatformError
from cpor.ops.clock import length_ms
from cpor.ops.errors import CommandError, Exit, NotReachable, Refused, WrongUse
from cpor.ops.instance import find_instance
from cpor.ops.main import cli, run
from cpor.ops.running import Plan, check_plan, prepare_clock
from cpor.runtime.clock import TestClock
from cpor.runtime.transport.port import PublishFailed


def raising(fault: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise fault

    return command


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (Refused("no", "stale_sequence"), 1, "cpor: stale_sequence: no"),
        (WrongUse("give more"), 2, "cpor: give more"),
        (NotReachable("nobody home"), 3, "cpor: nobody home"),
        (PlatformError("install Java"), 3, "cpor: install Java"),
        (PublishFailed("down"), 3, "Kafka did not take what was sent"),
        (KeyboardInterrupt(), 130, "stopped at your request"),
        (ZeroDivisionError("oh"), 1, "CPOR_DEBUG=1"),
    ],
)
def test_a_fault_ends_with_its_exit_code_and_one_sentence(
    fault: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(fault)) == code
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def command_line(*words: str) -> int:
    return run(lambda: cli(list(words)))


@pytest.mark.parametrize(
    "words", [("nonsense",), ("claims", "list", "--nonsense"), ("claims", "show"), ("review", "start", "C-1")]
)
def test_a_command_line_that_makes_no_sense_is_exit_2(words: tuple[str, ...]) -> None:
    assert command_line(*words) == Exit.USAGE


def test_commands_say_so_when_no_instance_runs_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("env",), ("status",), ("claims", "list"), ("review", "queue"), ("clock", "show")):
        assert command_line(*words, "--data", str(tmp_path)) == Exit.NOT_REACHABLE
        assert "cpor up --data" in capsys.readouterr().err


@pytest.mark.parametrize("half", [("--as-partner", "P-1"), ("--user", "u-anna")])
@pytest.mark.parametrize(
    "words",
    [
        ("claims", "list"),
        ("claims", "export"),
        ("claims", "show", "c"),
        ("claims", "history", "c"),
        ("poe", "template", "--claim", "c", "-o", "proof.docx"),
        ("poe", "template", "-o", "proof.docx"),
    ],
)
def test_half_a_viewer_is_a_wrong_use_whether_or_not_an_instance_runs(
    words: tuple[str, ...],
    half: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line(*words, *half, "--data", str(tmp_path)) == Exit.USAGE
    assert "--as-partner and --user go together" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_instance_whose_kafka_is_gone_is_told_from_one_that_never_was(tmp_path: Path) -> None:
    environment = {
        "CPOR_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "CPOR_S3_ENDPOINT": "http://127.0.0.1:1",
        "CPOR_S3_ACCESS_KEY": "a",
        "CPOR_S3_SECRET_KEY": "b",
    }
    with pytest.raises(NotReachable, match="Kafka does not answer"):
        find_instance(tmp_path, environment)
    with pytest.raises(NotReachable, match="CPOR_S3_ENDPOINT"):
        find_instance(tmp_path, {"CPOR_KAFKA_BOOTSTRAP": "127.0.0.1:1"})


@pytest.mark.parametrize(("text", "ms"), [("90s", 90_000), ("14d", 1_209_600_000), ("1d12h", 129_600_000), ("5ms", 5)])
def test_a_length_of_time_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert length_ms(text) == ms


@pytest.mark.parametrize("text", ["", "14", "d", "3x", "1d 2h", "-1d"])
def test_a_length_that_is_none_is_a_wrong_use(text: str) -> None:
    with pytest.raises(WrongUse):
        length_ms(text)


@pytest.mark.parametrize(
    "plan", [Plan(Path(), workers=0), Plan(Path(), session_ms=10), Plan(Path(), test_clock="tomorrow")]
)
def test_a_plan_that_cannot_be_is_refused_before_anything_starts(plan: Plan) -> None:
    with pytest.raises(CommandError):
        check_plan(plan)


def test_a_test_clock_goes_on_where_the_instance_stopped_and_never_back(tmp_path: Path) -> None:
    made = prepare_clock(Plan(tmp_path, test_clock="2026-03-02T08:00:00Z"))
    assert made is not None
    TestClock(made).set(TestClock(made).now() + 86_400_000)
    before = TestClock(made).now()
    assert prepare_clock(Plan(tmp_path)) == made
    assert prepare_clock(Plan(tmp_path, test_clock="2026-03-02")) == made
    assert TestClock(made).now() >= before


def test_an_instance_that_ran_on_the_systems_clock_takes_no_test_clock(tmp_path: Path) -> None:
    (tmp_path / "review").mkdir()
    with pytest.raises(Refused, match="system's clock"):
        prepare_clock(Plan(tmp_path, test_clock="2026-03-02"))
