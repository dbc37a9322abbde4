"""What can keep a document from being judged now: faults of ours, retried and never told the partner."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """No verdict was reached, for a passing reason on our side: try again."""


class InspectorUnavailable(StoreUnavailable):
    """The inspecting process could not be started or was killed from outside: try again."""
