"""Python's own parser, for threads that parse at the same time."""

from __future__ import annotations

import ast
from typing import Any

#: Python 3.11.0 to 3.11.7 count the depth of all trees in one place (gh-106905): where the garbage collector lets
#: another thread in while a tree is made, they take the tree for broken. The next one is not.
_TRIES = 10


def parse(text: str, path: str = "<unknown>", mode: str = "exec", tries: int = _TRIES) -> Any:
    """``ast.parse``; raises what it raises."""
    try:
        return ast.parse(text, path, mode)
    except SystemError:
        if tries <= 1:
            raise
        return parse(text, path, mode, tries - 1)
