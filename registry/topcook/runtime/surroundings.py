"""What a cook changes about the process around it, and puts back."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from topcook.contract.pathmap import VARIABLE, PathRules
from topcook.runtime import strays

if TYPE_CHECKING:
    from topcook.model.node import Network

#: The variables of each cook that is under way, the youngest last, and what stood there before the first of them.
_homes: list[dict[str, str]] = []
_before: dict[str, str | None] = {}
_homes_lock = threading.Lock()


@contextlib.contextmanager
def home(network: Network) -> Iterator[None]:
    """Set ``$HIP`` and ``$PDG_PATHMAP`` in the process's own environment: callbacks and in-process items read them.

    Cooks of several contexts may end in any order: the youngest that is under way has its values there, and the last
    to end leaves what was there before the first.
    """
    mine = {"HIP": network.hip}
    if network.path_maps:
        # pdg.PathMap reads and edits the map there.
        mine[VARIABLE] = PathRules.of(network.path_maps).to_json()
    with _homes_lock:
        if not _homes:
            _before.update({name: os.environ.get(name) for name in ("HIP", VARIABLE)})
        _homes.append(mine)
        os.environ.update(mine)
    try:
        yield
    finally:
        with _homes_lock:
            youngest = _homes[-1] is mine
            _homes[:] = [each for each in _homes if each is not mine]
            if youngest or not _homes:
                _leave_to_others()


def _leave_to_others() -> None:
    for name, value in _before.items():
        theirs = next((each[name] for each in reversed(_homes) if name in each), value)
        if theirs is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = theirs


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
