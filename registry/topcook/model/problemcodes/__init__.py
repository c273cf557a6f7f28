"""The table of all problems that a check can find: what each code means, why it matters, and what mends it.

``topcook check --explain CODE`` prints a row, ``docs/problems.md`` shows all. Whether a problem leaves a type usable
is said by ``contract.tolerated``.
"""

from __future__ import annotations

from topcook.model.problemcodes.contract import CONTRACT
from topcook.model.problemcodes.finding import FINDING
from topcook.model.problemcodes.loading import LOADING
from topcook.model.problemcodes.networks import NETWORKS
from topcook.model.problemcodes.process import PROCESS
from topcook.model.problemcodes.row import Code

__all__ = ["AREAS", "CODES", "Code"]

#: The rows by what is checked, in the order of the page.
AREAS: dict[str, tuple[Code, ...]] = {
    "Classes and callbacks": CONTRACT,
    "Executing a types file": LOADING,
    "What a file does to its process": PROCESS,
    "Finding types": FINDING,
    "Networks and item graphs": NETWORKS,
}
CODES: dict[str, Code] = {row.code: row for rows in AREAS.values() for row in rows}
