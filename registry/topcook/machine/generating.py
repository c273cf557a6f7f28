"""When nodes make their items: the half of the machine that follows the network.

Every node is looked at only when something about it changed (``_dirty``), and its inputs are counted, never walked,
so that networks of many nodes stay linear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import instructions as ins
from topcook.machine.batches import Batches
from topcook.machine.phases import DONE_WELL, SETTLED
from topcook.model.enums import GenerateWhen

if TYPE_CHECKING:
    from topcook.machine.nodes import NodeState
    from topcook.model.workitem import WorkItem

#: How many names a reason lists before it counts the rest.
NAMES_TOLD = 3


class Generating(Batches):
    """Generation of nodes, on top of the items' steps."""

    def begin_generating(self) -> None:
        """Take items that exist already into the cook, then ask every node that can generate."""
        for node in self.nodes.values():
            for item in node.node.items:
                if item.phase in DONE_WELL:
                    self._feed_outputs(node, item)
                else:
                    item.run = None
                    self.add_items(node, [item])
        for node in self.nodes.values():
            for item in node.node.items:
                if item.phase not in SETTLED:
                    self.link_item(item)
        self._dirty.update(dict.fromkeys(self.nodes))

    def may_begin_early(self) -> bool:
        """Whether there is enough to cook for those schedulers that need not see all static items first."""
        if not self.early_from or self.unsettled < self.early_from:
            return False
        self.begun_early = any(each.begins_early for each in self.schedulers.values())
        return self.begun_early

    def begin_cooking(self) -> None:
        """From now on dynamic nodes generate too."""
        self.cooking = True
        self._dirty.update((name, None) for name, node in self.nodes.items() if not node.complete)

    def look_at_nodes(self) -> None:
        """Let each changed node take its next step, until nothing changes any more."""
        while self._dirty:
            changed, self._dirty = self._dirty, {}
            for name in changed:
                self._look_at(self.nodes[name])

    def _look_at(self, node: NodeState) -> None:
        if not node.complete:
            if node.prepared:
                self._complete(node)
            elif node.when is GenerateWhen.EachUpstreamCooked:
                self._look_at_each(node)
            elif not node.requested:
                self._look_at_all(node)
        self._look_if_quiet(node)

    def _look_at_each(self, node: NodeState) -> None:
        if not self.cooking:
            return
        if node.fresh:
            fresh, node.fresh = node.fresh, []
            self._request(node, fresh, each=True)
        elif node.loud_inputs == 0 and node.calls == 0:
            node.stalled = node.stalled or _stalled_input(node)
            self._complete(node)

    def _look_at_all(self, node: NodeState) -> None:
        waits = node.open_inputs if node.when is GenerateWhen.AllUpstreamGenerated else node.loud_inputs
        if waits or not (node.static or self.cooking):
            return
        reason = self._why_stalled(node)
        if reason:
            node.stalled = reason
            self._complete(node)
            return
        self._request(node, node.upstream_or_stand_ins() if node.partitioner else node.upstream(), each=False)

    def _why_stalled(self, node: NodeState) -> str:
        reason = _stalled_input(node)
        if not reason and node.when is GenerateWhen.AllUpstreamCooked and not node.partitioner:
            bad = [item.name for item in node.upstream_or_stand_ins() if item.phase not in DONE_WELL]
            if bad:
                more = f" and {len(bad) - NAMES_TOLD} more" if len(bad) > NAMES_TOLD else ""
                return f"it generates when all its inputs have cooked, and {', '.join(bad[:NAMES_TOLD])}{more} did not"
        return reason

    def _request(self, node: NodeState, upstream: list[WorkItem], *, each: bool) -> None:
        node.requested = True
        node.calls += 1
        self.calls += 1
        self._out.append(ins.Generate(node.node.name, upstream, node.static, each))

    def generated(self, name: str, items: list[WorkItem], *, keep: bool, more: bool = False) -> None:
        """One call returned; its items join the cook when they are kept. ``more`` of them come in further events."""
        node = self.nodes[name]
        if not node.calls:
            # It was given up for lost, and its node is settled without it.
            return
        node.joining = more
        if not more:
            node.calls -= 1
            self.calls -= 1
        if keep:
            node.node.items += items
            self.add_items(node, items)
            for item in items:
                for dependency in item.dependencies:
                    if dependency.dependents is None:
                        # A list of one takes no more room than it needs.
                        dependency.dependents = [item]
                    else:
                        dependency.dependents.append(item)
            for item in items:
                if item.phase not in SETTLED:
                    self.link_item(item)
        if more:
            return
        if node.when is not GenerateWhen.EachUpstreamCooked:
            self._complete(node)
        self._dirty[name] = None

    def _complete(self, node: NodeState) -> None:
        node.complete = True
        self.incomplete -= 1
        self.incomplete_static -= node.static
        for output in node.outputs:
            output.open_inputs -= 1
            self._dirty[output.node.name] = None
        self._look_if_quiet(node)

    def _look_if_quiet(self, node: NodeState) -> None:
        if node.complete and node.unsettled == 0 and not node.quiet:
            node.quiet = True
            for output in node.outputs:
                output.loud_inputs -= 1
                self._dirty[output.node.name] = None


def _stalled_input(node: NodeState) -> str:
    stalled = next((each.node.name for each in node.inputs if each.stalled), None)
    return f'input "{stalled}" made not all of its work items' if stalled else ""
