"""``pdg.utils``."""

from __future__ import annotations

from topcook.contract.utils import TickTimer, expand_vars, print_headless

__all__ = ["TickTimer", "expand_vars", "print_headless"]
