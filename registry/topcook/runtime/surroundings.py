"""What a cook changes about the process around it, and puts back."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from topcook.contract.pathmap import VARIABLE, PathRules
from topcook.runtime import strays

if TYPE_CHECKING:
    from topcook.model.node import Network

#: Below this many objects the collector costs nothing noticeable.
MANY = 1000


@contextlib.contextmanager
def home(network: Network) -> Iterator[None]:
    """Set ``$HIP`` and ``$PDG_PATHMAP`` in the process's own environment: callbacks and in-process items read them.

    The current directory is put back as well.
    """
    new = {"HIP": network.hip}
    if network.path_maps:
        # pdg.PathMap reads and edits the map there.
        new[VARIABLE] = PathRules.of(network.path_maps).to_json()
    before = {name: os.environ.get(name) for name in new}
    os.environ.update(new)
    here = _current_directory()
    try:
        yield
    finally:
        # Scheduler files do change it, and what comes after a cook reads relative paths.
        if here and here != _current_directory():
            with contextlib.suppress(OSError):
                os.chdir(here)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def ready_for_callbacks(network: Network, *, debug: bool) -> Iterator[None]:
    """As author code finds the process: ``home``, and what it prints goes to where its thread's output belongs."""
    with home(network):
        if not debug:
            strays.install()
        try:
            yield
        finally:
            if not debug:
                strays.uninstall()


def _current_directory() -> str:
    """Empty when it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""


@contextlib.contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep the cyclic collector off while many objects are made: it would walk them all, again and again."""
    rest = gc.isenabled()
    if rest:
        gc.disable()
    try:
        yield
    finally:
        if rest:
            gc.enable()
