"""The broker's jars are fetched once, whole or not at all."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cpor.devstack.errors import PlatformError
from cpor.devstack.jars import fetch_jars, jar_dir, report_download
from cpor.devstack.stack import silent

#: Stands in for a network: a Maven that notes each call and makes one jar, slowly enough for others to come.
GOOD_MAVEN = """#!/bin/sh
echo call >> "$CALLS"
for word in "$@"; do case "$word" in -DoutputDirectory=*) folder=${word#*=} ;; esac; done
mkdir -p "$folder"; sleep 0.2; echo jar > "$folder/kafka.jar"
"""
BROKEN_MAVEN = """#!/bin/sh
echo "[ERROR] the line is down"
exit 1
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()
    return tmp_path / "cache"


def install_maven(home: Path, script: str) -> None:
    maven = home / "bin" / "mvn"
    maven.write_text(script)
    maven.chmod(0o755)


@pytest.mark.usefixtures("cache")
def test_two_who_want_the_jars_at_once_fetch_them_once(tmp_path: Path) -> None:
    install_maven(tmp_path, GOOD_MAVEN)
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(fetch_jars, [silent, silent]))
    assert folders == [jar_dir(), jar_dir()]
    assert (jar_dir() / "kafka.jar").read_text() == "jar\n"
    assert (tmp_path / "calls").read_text() == "call\n"


def test_a_failed_download_says_why_and_leaves_nothing_that_looks_whole(tmp_path: Path, cache: Path) -> None:
    install_maven(tmp_path, BROKEN_MAVEN)
    with pytest.raises(PlatformError, match="the line is down"):
        fetch_jars(silent)
    assert [path.suffix for path in (cache / "cpor").iterdir()] == [".lock"]


def test_each_downloaded_file_is_shown_without_its_address() -> None:
    said: list[str] = []
    report_download("Downloaded from central: scheme://host/a/b/kafka_2.13-4.3.0.jar (5.1 MB at 2 MB/s)\n", said.append)
    report_download("[INFO] BUILD SUCCESS\n", said.append)
    assert said == ["fetched kafka_2.13-4.3.0.jar (5.1 MB at 2 MB/s)"]
