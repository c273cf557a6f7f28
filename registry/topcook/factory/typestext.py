"""Whether a text is that of a types file, told without executing it."""

from __future__ import annotations

import re
import warnings

from topcook.factory.sources import HOOK

__all__ = ["why_no_types"]

#: It is defined, assigned or imported; a word in a comment or text does not count.
_HOOK_DEFINED = re.compile(
    rb"^[ \t]*(?:async[ \t]+)?def[ \t]+registerTypes\b"
    rb"|\bregisterTypes[ \t]*(?::[^=\n]*)?="
    rb"|import[^\n#]*\bregisterTypes\b"
    rb"|import[ \t]*\([^)]*\bregisterTypes\b",
    re.MULTILINE,
)
_SCHEDULER_CLASS = re.compile(rb"^class[ \t]+(\w+)[ \t]*\([^)]*\bPyScheduler\b", re.MULTILINE)


def why_no_types(text: bytes) -> str:
    """Why a text is none of a types file, empty when it is one.

    One that is no Python is not passed over: it may have been one before it was cut off.
    """
    if _HOOK_DEFINED.search(text) or not _compiles(text):
        return ""
    found = _SCHEDULER_CLASS.search(text)
    if found:
        return f"it has the class {found.group(1).decode()} but no {HOOK}(type_registry)"
    return f"a helper file: it has no {HOOK}"


def _compiles(text: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            # An author's "\\d" is a warning at worst.
            warnings.simplefilter("ignore")
            compile(text, "<types>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True
