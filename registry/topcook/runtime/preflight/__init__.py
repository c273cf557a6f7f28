"""A tiny job for each scheduler of a network, to see from over there whether its cook can work."""

from __future__ import annotations

from topcook.runtime.preflight.trial import Trial, schedulers_of

__all__ = ["Trial", "schedulers_of"]
