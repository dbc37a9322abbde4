"""Ports that are kept, and files that are whole."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cpor.devstack.files import tail, write_atomic
from cpor.devstack.jars import kafka_version
from cpor.devstack.kafka import BROKER, cluster_id, properties
from cpor.devstack.ports import LOOPBACK, free_ports, is_free, kept_ports
from cpor.devstack.probe import kafka_answers
from cpor.devstack.seaweed import credentials


def test_ports_stay_the_same_over_restarts_so_that_clients_find_the_instance_again(tmp_path: Path) -> None:
    first = kept_ports(tmp_path / "ports.json", ("a", "b"))
    assert kept_ports(tmp_path / "ports.json", ("a", "b")) == first


def test_a_port_that_someone_else_took_is_replaced(tmp_path: Path) -> None:
    first = kept_ports(tmp_path / "ports.json", ("a",))
    with socket.create_server((LOOPBACK, first["a"])):
        second = kept_ports(tmp_path / "ports.json", ("a",), patience=0.1)
    assert second["a"] != first["a"]
    assert kept_ports(tmp_path / "ports.json", ("a",)) == second


def test_a_broken_record_of_ports_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    assert is_free(kept_ports(tmp_path / "ports.json", ("a",))["a"])


def test_chosen_ports_differ_from_each_other() -> None:
    assert len(set(free_ports(10))) == 10


def test_a_port_where_somebody_listens_is_not_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_a_server_that_is_no_broker_is_never_taken_for_a_ready_one() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        assert not kafka_answers(f"{LOOPBACK}:{server.getsockname()[1]}", timeout=0.1)


def test_an_address_where_nobody_listens_is_not_ready() -> None:
    assert not kafka_answers(f"{LOOPBACK}:{free_ports(1)[0]}")


def test_a_file_that_cannot_be_replaced_leaves_no_half_of_itself_behind(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(OSError, match="target"):
        write_atomic(tmp_path / "target", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_the_tail_of_a_log_is_its_last_lines_and_nothing_when_there_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"line {n}\n" for n in range(50)))
    assert tail(tmp_path / "log", 2) == "line 48\nline 49"
    assert tail(tmp_path / "none") == ""


def test_the_identity_of_a_cluster_and_its_credentials_are_made_once_for_a_data_directory(tmp_path: Path) -> None:
    assert cluster_id(tmp_path / "id") == cluster_id(tmp_path / "id")
    assert credentials(tmp_path / "keys") == credentials(tmp_path / "keys")
    assert credentials(tmp_path / "keys") != credentials(tmp_path / "other keys")


def test_the_broker_keeps_its_own_time_and_offsets_for_ever_and_makes_no_topic_by_accident() -> None:
    text = properties(BROKER)
    for line in (
        "log.message.timestamp.type=LogAppendTime",
        "offsets.retention.minutes=2147483647",
        "auto.create.topics.enable=false",
    ):
        assert line in text.splitlines()


def test_the_broker_has_the_version_that_the_pom_names() -> None:
    assert kafka_version() == "4.3.0"
