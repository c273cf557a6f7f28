"""The shell that acts: cook loop, scheduler hosts, recorder, result server, keeper, generation.

Start reading at ``cook.py``; what is decided is decided in ``topcook.machine``.
"""

from __future__ import annotations

__all__: list[str] = []
