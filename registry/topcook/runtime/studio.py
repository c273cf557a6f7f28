"""What the studio settles for all of its networks: the files that ``TOPCOOK_CONFIG`` names."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from topcook.contract.env import expand_vars
from topcook.model.graphfile import read_path_maps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topcook.model.graphfile import PathMapSpec, Place

#: Paths of configuration files, separated as in PATH; the first is asked first.
VARIABLE = "TOPCOOK_CONFIG"


def studio_path_maps(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """The path maps of the studio's configuration files, as ``Network.path_maps`` holds them.

    Raises ``GraphFileError`` with every mistake of the first file that has some.
    """
    paths = [path for path in environment.get(VARIABLE, "").split(os.pathsep) if path]
    return [row for path in paths for row in path_map_rows(read_path_maps(path), environment)]


def path_map_rows(
    rules: Iterable[tuple[PathMapSpec, Place]], environment: Mapping[str, str]
) -> Iterable[dict[str, Any]]:
    """Rules as rows of a network, variables in their paths written out, each with where it stands."""
    for spec, place in rules:
        both = {name: expand_vars(getattr(spec, name), environment) for name in ("from_path", "to_path")}
        yield {**dataclasses.asdict(spec), **both, "origin": str(place)}
