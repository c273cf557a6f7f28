"""Put the built-in types into the wheel, and only into the wheel.

A plain `force-include` would be copied by an editable install as well and go stale there; this hook
adds `pdg_types/` to a standard wheel alone. `topcook.factory.builtin_types_dir()` answers for both.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltinTypesHook(BuildHookInterface[Any]):
    """Map `pdg_types/` to `topcook/_builtin_types/` in a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the mapping; `version` is hatchling's name of the build: "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"]["pdg_types"] = "topcook/_builtin_types"
