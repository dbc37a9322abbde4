"""`python -m cpor.ops`: the same as `cpor`, where the script is not installed."""

from cpor.ops.main import app

app()
