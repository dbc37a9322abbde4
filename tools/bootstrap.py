"""Make a virtual environment hold exactly what a lock file names, and this project on top.

Runs on nothing but a Python's standard library. Safe to call from several `make` at once: one installs, the
others wait. Does nothing when the environment already holds this lock and this pyproject.toml.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(environment: Path, lock: Path) -> None:
    """Bring `environment` up to `lock`; a failure of pip ends the process with pip's exit code."""
    wanted = fingerprint(lock)
    stamp = environment / ".installed"
    environment.parent.mkdir(parents=True, exist_ok=True)
    with (environment.parent / f"{environment.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if works(environment) and stamp.is_file() and stamp.read_text() == wanted:
            return
        if not works(environment):
            create(environment)
        stamp.unlink(missing_ok=True)
        install(environment, lock)
        stamp.write_text(wanted)


def fingerprint(lock: Path) -> str:
    """What the environment was made from: any change of it means installing again."""
    inputs = [lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode()]
    packages = sorted(path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file())
    return hashlib.sha256(b"\0".join([*inputs, *(name.encode() for name in packages)])).hexdigest()


def works(environment: Path) -> bool:
    """False also for an environment whose Python was removed or whose folder was moved."""
    python = environment / "bin" / "python"
    check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and run([str(python), "-c", check], quiet=True) == 0


def create(environment: Path) -> None:
    say(f"creating {environment.name} with Python {sys.version.split()[0]}")
    venv.create(environment, clear=True, with_pip=True)


def install(environment: Path, lock: Path) -> None:
    pip = [
        str(environment / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    say(f"installing {lock.name} (takes a minute the first time)")
    steps = [["--require-hashes", "-r", str(lock)], ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]]
    for step in steps:
        code = run(pip + step)
        if code != 0:
            say("installation failed, see above")
            raise SystemExit(code)


def run(command: list[str], *, quiet: bool = False) -> int:
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, stdout=sink, stderr=sink, check=False).returncode


def say(text: str) -> None:
    sys.stderr.write(f"cpor: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
