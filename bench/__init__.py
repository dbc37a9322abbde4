"""Benchmarks: what the workers do on a real broker, and what peers do beside them. Numbers live here, not in tests."""
