"""Whether a text is that of a types file, told without executing it."""

from __future__ import annotations

import re
import warnings

from topcook.factory.records import MISTYPED_HOOK
from topcook.factory.sources import HOOK

__all__ = ["nearly_hook", "why_no_types"]

#: It is defined, assigned or imported; a word in a comment or text does not count.
_HOOK_DEFINED = re.compile(
    rb"^[ \t]*(?:async[ \t]+)?def[ \t]+registerTypes\b"
    rb"|\bregisterTypes[ \t]*(?::[^=\n]*)?="
    rb"|import[^\n#]*\bregisterTypes\b"
    rb"|import[ \t]*\([^)]*\bregisterTypes\b",
    re.MULTILINE,
)
_SCHEDULER_CLASS = re.compile(rb"^class[ \t]+(\w+)[ \t]*\([^)]*\bPyScheduler\b", re.MULTILINE)
_DEFINED = re.compile(rb"^def[ \t]+(r\w+)[ \t]*\(", re.MULTILINE | re.IGNORECASE)
#: ``registerType`` and ``register_types`` are slips; ``registerTags`` and ``registerFarmTypes`` are other words.
_CLOSE = 0.92


def nearly_hook(text: bytes) -> re.Match[bytes] | None:
    """The function of a scheduler's file that may have been meant as the hook, its name as group 1."""
    found = _DEFINED.finditer(text) if _SCHEDULER_CLASS.search(text) else iter(())
    return next((each for each in found if _is_close(each.group(1).decode("utf-8", "replace"))), None)


def _is_close(name: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, name.replace("_", "").lower(), HOOK.lower()).ratio() >= _CLOSE


def why_no_types(text: bytes) -> str:
    """Why a text is none of a types file, empty when it is one.

    One that is no Python is not passed over: it may have been one before it was cut off.
    """
    if _HOOK_DEFINED.search(text) or not _compiles(text):
        return ""
    nearly = nearly_hook(text)
    if nearly:
        return f"{MISTYPED_HOOK} {nearly.group(1).decode()}, not {HOOK}(type_registry)"
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
