"""From files and distributions to a menu: find, execute, check and describe scheduler and node types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "foreign": ("check_pdg_is_ours",),
    "menu": ("GLYPHS", "MenuRow", "listing", "menu_rows"),
    "records": ("Kind", "Origin", "Record", "State", "Tier"),
    "scan": ("Factory",),
    "typeregistry": ("TypeRegistry",),
    "typespath": ("PATH_VARIABLE", "builtin_types_dir"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """What is imported from here, loaded when it is asked for: a probe worker and a listing need different parts."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    return found
