"""The `cpor` command: running an instance, what operators and reviewers do, and the demo (contract §7)."""
