"""What author code raised, turned into problems at the author's own line: what, why, and what to type.

``raised.py`` decides which kind it is; ``syntax.py`` and ``imports.py`` know the two that authors meet most.
"""

from __future__ import annotations

from topcook.factory.faults.raised import problem_of, problems_of, said

__all__ = ["problem_of", "problems_of", "said"]
