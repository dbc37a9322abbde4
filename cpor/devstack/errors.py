"""What can go wrong with the platform, as sentences for the person at the terminal."""

from __future__ import annotations


class PlatformError(Exception):
    """The platform cannot be reached or started; the message says why and what to do (exit code 3)."""


class DataDirInUse(PlatformError):
    """Another process runs an instance on this data directory; the message names its pid."""
