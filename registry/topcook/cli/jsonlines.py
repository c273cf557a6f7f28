"""Progress as JSON lines on standard output, one object an event, for programs.

``docs/command-line.md`` lists the events and their keys.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from topcook.model.states import FINAL
from topcook.runtime.summary import counts, end_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.cli.feed import Told
    from topcook.cli.terminal import Terminal
    from topcook.machine.items import Change
    from topcook.runtime.cook import Cook


class JsonView:
    """Writes events; a reader that has gone ends the writing, not the cook."""

    repeats = True

    def __init__(self, cook: Cook, terminal: Terminal) -> None:
        """Begin with the event ``start``."""
        self._cook = cook
        self._terminal = terminal
        self._lines: list[str] = []
        self._gone = False
        self._put(event="start", network=cook.graph.network.name, cook=cook.cook_id, at=cook.started)

    def changed(self, changes: Sequence[Change]) -> None:
        """An ``item`` event for each change; a final one tells how it ended."""
        for item, old, new, at in changes:
            facts: dict[str, Any] = {
                "event": "item",
                "id": item.id,
                "name": item.name,
                "node": item.node.name,
                "scheduler": item.scheduler or None,
                "from": old.name,
                "state": new.name,
                "at": at,
            }
            if new in FINAL and item.run is not None:
                facts |= {"exit_status": item.run.exit_status, "duration": item.run.duration}
            self._put(**facts)

    def told(self, message: Told) -> None:
        """A ``message`` event."""
        at = self._cook.link.clock.now()
        self._put(event="message", level=message.level, source=message.source, text=message.text, at=at)

    def ended(self, *, interrupted: bool) -> None:
        """The event ``end``."""
        cook = self._cook
        state = end_state(cook, interrupted=interrupted)
        self._put(event="end", state=state, counts={s.name: n for s, n in counts(cook).items()}, at=cook.finished)
        self.tick()

    def tick(self) -> None:
        """Write what has gathered."""
        lines, self._lines = self._lines, []
        if not lines or self._gone:
            return
        try:
            self._terminal.out.write("".join(lines))
            self._terminal.out.flush()
        except OSError:
            self._gone = True

    def close(self) -> None:
        """The event ``end`` is written by ``ended``, once it is known who ended it."""

    def _put(self, **facts: Any) -> None:
        self._lines.append(json.dumps(facts) + "\n")
