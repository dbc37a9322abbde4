"""The rules of a claim: pure functions over values, no I/O, no clock of its own."""
