"""What an earlier cook has done already: who is who again, what would be done anew, and why.

``Memory`` is what a cook asks; ``docs/resuming.md`` tells the same from the outside.
"""

from __future__ import annotations

from topcook.runtime.resume.memory import Memory
from topcook.runtime.resume.settings import Settings

__all__ = ["Memory", "Settings"]
