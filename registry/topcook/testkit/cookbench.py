"""A bench for whole cooks: networks, types files and real processes in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topcook.factory.scan import Factory
from topcook.runtime.netfile import load_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.workitem import WorkItem
    from topcook.runtime.api import GraphContext
    from topcook.runtime.cook import Cook

__all__ = ["CookBench", "Cooked"]

#: Seconds after which a cook is taken for hung, unless a bench says otherwise.
DEADLINE = 60.0

#: That many failed items say enough of what went wrong.
FAILED_SHOWN = 20


class Cooked:
    """A cook that has ended: how, with which items, and what was said."""

    def __init__(self, context: GraphContext, cook: Cook) -> None:
        """Look at ``cook``."""
        self.context = context
        self.cook = cook

    @property
    def outcome(self) -> str:
        """cooked, failed, canceled, or refused when static generation failed."""
        return self.cook.outcome

    @property
    def messages(self) -> str:
        """Everything that was told, a line each."""
        return "\n".join(f"{each.level}: {each.source}: {each.text}" for each in self.cook.messages)

    def items(self, node: str = "") -> list[WorkItem]:
        """The items of one node, or of all that were cooked."""
        return [item for item in self.cook.state.all_items() if node in {"", item.node.name}]

    def item(self, label: str) -> WorkItem:
        """The item with this label or name."""
        return next(item for item in self.items() if label in {item.label, item.name})

    def states(self, node: str = "") -> dict[str, str]:
        """The state of each item, by label (by name where it has none)."""
        return {item.label or item.name: item.state.name for item in self.items(node)}

    def why(self, label: str) -> str:
        """What is noted of an item."""
        return "\n".join(self.item(label).ran().messages)

    @property
    def account(self) -> str:
        """What to show of a cook that ended wrongly: ``messages``, and of its first failed items all notes."""
        failed = [item for item in self.items() if item.state.name == "CookedFail"]
        notes = [
            f"{item.name}, attempt {item.attempt}: {' | '.join(item.ran().messages)}" for item in failed[:FAILED_SHOWN]
        ]
        return "\n".join([self.messages, f"{len(failed)} items failed", *notes])

    def log(self, scheduler: str) -> str:
        """The scheduler's own log in the cook's log directory."""
        return Path(self.context.core.host(scheduler).log_path).read_text(encoding="utf-8")

    def out_of_order(self) -> list[WorkItem]:
        """The items that began before something they depend on had finished."""
        late = []
        for item in self.items():
            began = item.ran().started
            ends = [needed.ran().finished for needed in item.dependencies]
            if began is not None and any(end is None or end > began for end in ends):
                late.append(item)
        return late


class CookBench:
    """Writes types files and networks below ``folder`` and cooks them; ``close`` closes what it opened.

    A cook that takes longer than ``deadline`` seconds is taken for hung.
    """

    def __init__(self, folder: Path, deadline: float = DEADLINE) -> None:
        """An empty bench."""
        self.folder = folder
        self.deadline = deadline
        self.types_dir = folder / "types"
        self.types_dir.mkdir()
        self._opened: list[GraphContext] = []

    def types(self, name: str, text: str) -> Path:
        """A types file ``<name>.py`` that every network from now on finds."""
        path = self.types_dir / f"{name}.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def factory(self) -> Factory:
        """The types of the bench, and the built-in ones."""
        return Factory.scan({"PDG_TYPES_PATH": str(self.types_dir)})

    def load(self, network: str, **options: Any) -> GraphContext:
        """A network from its TOML text; ``options`` are those of ``load_network``."""
        path = self.folder / "net.toml"
        path.write_text(textwrap.dedent(network), encoding="utf-8")
        return self.opened(load_network(path, factory=self.factory(), **options))

    def opened(self, context: GraphContext) -> GraphContext:
        """Have a context closed with the bench."""
        self._opened.append(context)
        return context

    def start(self, context: GraphContext, *nodes: str, before: Callable[[Cook], object] | None = None) -> Cook:
        """Begin a cook; ``before`` may still change it."""
        cook = context.prepare(nodes)
        if before is not None:
            before(cook)
        context.open_schedulers(cook)
        cook.start()
        return cook

    def finish(self, context: GraphContext, cook: Cook) -> Cooked:
        """Wait for a cook; raises ``AssertionError`` when it does not end."""
        if not cook.wait(self.deadline):
            cook.kill()
            raise AssertionError(f"the cook did not end: {dict(cook.state.schedulers)}")
        return Cooked(context, cook)

    def cook(self, network: str | GraphContext, *nodes: str, **options: Any) -> Cooked:
        """Cook a network (its TOML text, or a context) to its end."""
        context = self.load(network, **options) if isinstance(network, str) else network
        return self.finish(context, self.start(context, *nodes))

    def topcook(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call a command of Topcook in the folder, as a process that finds the types of the bench."""
        return subprocess.run(
            [sys.executable, "-m", "topcook", *words],
            cwd=self.folder,
            env={**os.environ, "PDG_TYPES_PATH": str(self.types_dir)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.deadline,
            check=False,
        )

    def close(self) -> None:
        """Close every context (``onStop``)."""
        for context in self._opened:
            context.close()
