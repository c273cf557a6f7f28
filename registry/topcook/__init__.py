"""Topcook: find, check, choose and run PDG schedulers, and cook TOP networks with them."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
