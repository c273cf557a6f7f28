"""A bench for networks that are cooked more than once, each time as a command would: with journal, lock and memory."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from topcook.factory.scan import Factory
from topcook.runtime.journal.keeping import How, keep_cook
from topcook.runtime.netfile import load_network
from topcook.runtime.resume.settings import Settings
from topcook.runtime.resume.taking import last_cook, past_of, remember
from topcook.runtime.statedir import journal_of
from topcook.runtime.tokens import new_cook_id
from topcook.testkit.cookbench import DEADLINE, Cooked

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.runtime.cook import Cook

__all__ = ["RecookBench", "Recooked"]


class Recooked(Cooked):
    """A cook that had a past."""

    def cooked_again(self) -> dict[str, int]:
        """How many items of each node were cooked, not found done."""
        again = [item for item in self.items() if item.state.name == "CookedSuccess" and item.command + item.scheduler]
        return dict(Counter(item.node.name for item in again))

    def reasons(self) -> dict[str, str]:
        """Why each item was cooked, by node and index: ``render.3``."""
        found = self.cook.memory.found if self.cook.memory is not None else {}
        told = [(item, found[item.id][1]) for item in self.items() if item.id in found]
        return {f"{item.node.name}.{item.index}": reason for item, reason in told if reason}


class RecookBench:
    """Cooks the network file ``net.toml`` in ``folder``."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written yet."""
        self.folder = folder
        self.path = folder / "net.toml"

    def read(self, name: str) -> str:
        """The text of a file in the folder."""
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, network: str) -> Path:
        """Write the network from its TOML text."""
        self.path.write_text(textwrap.dedent(network), encoding="utf-8")
        return self.path

    def cook(
        self, network: str, settings: Settings | None = None, before: Callable[[Cook], object] | None = None
    ) -> Recooked:
        """Cook it to its end; raises ``AssertionError`` when that does not come. ``before`` may change the cook."""
        how = settings or Settings()
        context = load_network(
            self.write(network), factory=Factory.scan({"PDG_TYPES_PATH": str(self.folder / "types")})
        )
        core = context.core
        cook_id = last_cook(core, str(self.path)) if how.resume else new_cook_id()
        past = past_of(journal_of(cook_id)) if how.resume else None
        kept = keep_cook(core, str(self.path), cook_id, How())
        memory = remember(core, kept, past, how)
        cook: Cook = context.prepare(recorder=kept.recorder, cook_id=cook_id, memory=memory)
        kept.watch(cook)
        if before is not None:
            before(cook)
        try:
            context.open_schedulers(cook)
            cook.start()
            if not cook.wait(DEADLINE):
                cook.kill()
                raise AssertionError("the cook did not end")
        finally:
            context.close()
        return Recooked(context, cook)
