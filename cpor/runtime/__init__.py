"""The exactly-once kernel: everything a worker needs except its rules."""
