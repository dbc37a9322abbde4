"""Kafka and S3 on one machine, and the worker processes on top: for the demo, the tests and `cpor up`."""
