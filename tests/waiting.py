"""Waiting for what other threads and processes do, as plugins' tests do it, too."""

from __future__ import annotations

from topcook.testkit.waiting import until

__all__ = ["until"]
