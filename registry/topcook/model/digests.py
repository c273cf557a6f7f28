"""The one digest that is used everywhere, without what else comes with it.

``hashlib`` loads OpenSSL at its import, 3 ms of every cook, and takes ``blake2b`` from ``_blake2`` all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["blake2b"]

if TYPE_CHECKING:
    from hashlib import blake2b
else:
    try:
        from _blake2 import blake2b
    except ImportError:
        # An interpreter that keeps it elsewhere.
        from hashlib import blake2b
