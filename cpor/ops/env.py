"""`cpor env`: where the running instance's parts are."""

from __future__ import annotations

from cpor.ops import screen
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance


def env(data: DataDir = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Print KEY=value lines of the running instance: `eval "$(cpor env | sed 's/^/export /')"`."""
    variables = find_instance(data).env()
    if as_json:
        screen.print_json(variables)
        return
    for name, value in variables.items():
        print(f"{name}={value}")
