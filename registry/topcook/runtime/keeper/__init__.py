"""The keeper: local commands as children of a small process that outlives the engine.

``client`` is the engine's side, ``program`` what runs in the process, ``record`` reads what it wrote down.
"""

from __future__ import annotations

__all__: list[str] = []
