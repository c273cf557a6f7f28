"""From files and distributions to a menu: find, execute, check and describe scheduler and node types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.factory.foreign import check_pdg_is_ours
from topcook.factory.menu import GLYPHS, MenuRow, listing, menu_rows
from topcook.factory.records import Kind, Origin, Record, State, Tier
from topcook.factory.scan import Factory
from topcook.factory.typespath import PATH_VARIABLE, builtin_types_dir

if TYPE_CHECKING:
    from topcook.factory.typeregistry import TypeRegistry

__all__ = [
    "GLYPHS",
    "PATH_VARIABLE",
    "Factory",
    "Kind",
    "MenuRow",
    "Origin",
    "Record",
    "State",
    "Tier",
    "TypeRegistry",
    "builtin_types_dir",
    "check_pdg_is_ours",
    "listing",
    "menu_rows",
]


def __getattr__(name: str) -> Any:
    """``TypeRegistry``, which a listing does without, is imported when it is asked for."""
    if name == "TypeRegistry":
        from topcook.factory.typeregistry import TypeRegistry

        return TypeRegistry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
