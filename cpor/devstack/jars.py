"""The broker's jars: fetched once with Maven into the user's cache, whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from cpor.devstack.errors import PlatformError

POM = Path(__file__).with_name("pom.xml")
OLDEST_JAVA = 17

#: Takes one line for the person who waits.
Progress = Callable[[str], None]


def kafka_version(pom: Path = POM) -> str:
    for dependency in ElementTree.parse(pom).iterfind("dependencies/dependency"):
        if dependency.findtext("groupId") == "org.apache.kafka":
            return str(dependency.findtext("version"))
    raise PlatformError(f"{pom} names no version of Kafka")


def jar_dir() -> Path:
    """Where the jars of this very `pom.xml` belong; it exists only when they are all there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    return cache / "cpor" / f"kafka-{kafka_version()}-{digest}"


def fetch_jars(progress: Progress) -> Path:
    """The folder of the broker's jars, downloaded first when it is not there; others who want it meanwhile
    wait.
    """
    target = jar_dir()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with only_one(target.with_name(f"{target.name}.lock")):
        if not target.is_dir():
            download(target, progress)
    return target


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def download(target: Path, progress: Progress) -> None:
    """Into a folder beside the target, renamed when complete: a broken download is never taken for a whole
    one.
    """
    maven = find_maven()
    if maven is None:
        raise PlatformError("Maven (mvn) is needed once, to fetch the Kafka broker: install it and try again")
    progress(f"fetching Apache Kafka {kafka_version()} (44 MB, once)")
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        shutil.copy(POM, work / "pom.xml")
        run_maven(maven, work, progress)
        (work / "jars").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run_maven(maven: str, work: Path, progress: Progress) -> None:
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={work / 'jars'}"]
    command = [maven, "--batch-mode", "--file", str(work / "pom.xml"), *goal]
    lines: list[str] = []
    with subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as maven_run:
        for line in maven_run.stdout or ():
            lines.append(line.rstrip())
            report_download(line, progress)
    if maven_run.returncode != 0 or not (work / "jars").is_dir():
        raise PlatformError("Maven could not fetch the Kafka broker:\n" + "\n".join(lines[-20:]))


def report_download(line: str, progress: Progress) -> None:
    found = re.search(r"Downloaded from .*/([^/ ]+\.jar) \(([^)]*)\)", line)
    if found:
        progress(f"fetched {found[1]} ({found[2]})")


def find_maven() -> str | None:
    return shutil.which("mvn")


def find_java() -> str | None:
    """The path of a Java that is new enough, `JAVA_HOME` first."""
    home = os.environ.get("JAVA_HOME")
    candidates = [str(Path(home) / "bin" / "java")] if home else []
    found = [candidate for candidate in [*candidates, shutil.which("java")] if candidate]
    return next((java for java in found if (java_version(java) or 0) >= OLDEST_JAVA), None)


def java_version(java: str) -> int | None:
    """The major version; None when it does not run (macOS has a stub that only asks to install one)."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found[1]) if found and answer.returncode == 0 else None
