"""From files and distributions to a menu: find, execute, check and describe scheduler and node types."""

from __future__ import annotations

from topcook.factory.foreign import check_pdg_is_ours
from topcook.factory.menu import GLYPHS, MenuRow, listing, menu_rows
from topcook.factory.records import Kind, Origin, Record, State, Tier
from topcook.factory.scan import Factory
from topcook.factory.typeregistry import TypeRegistry
from topcook.factory.typespath import PATH_VARIABLE, builtin_types_dir

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
