"""Which scheduler cooks an item, and why that one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.lean import dataclass, field
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.node import Network, Node
    from topcook.model.workitem import WorkItem

# A plain integer: a flag's own ``&`` is a Python function, and this is asked of every item.
_IN_PROCESS = int(Trait.IN_PROCESS)
#: The item attribute that names a scheduler.
ATTRIBUTE = "pdg_scheduler"
DEFAULT = "localscheduler"
IN_PROCESS_DEFAULT = "inprocessscheduler"
#: What named a scheduler, where that stands in the network file.
NODES_OWN, NETWORKS_DEFAULT = 'the node\'s own "scheduler"', "the network's default"


@dataclass(slots=True)
class SchedulerChoice:
    """Chooses schedulers by name.

    Strongest first: item attribute, ``--override NODE=``, the profile's override, the node's own, ``--scheduler``, the
    profile's, the network's default, localscheduler. ``resolve`` turns a name into the name of an instance (making an
    implicit one for a type's name) or raises ``UnknownSchedulerError``; ``accepts`` tells whether an instance takes
    in-process items.
    """

    network: Network
    resolve: Callable[[str], str]
    accepts: Callable[[str, WorkItem], bool]
    by_node: dict[str, str] = field(default_factory=dict)
    default: str | None = None
    #: The profile's name, its overrides and its scheduler.
    profile: str = ""
    profile_nodes: dict[str, str] = field(default_factory=dict)
    profile_default: str | None = None
    _nodes: dict[str, tuple[str, str]] = field(default_factory=dict)

    def for_node(self, node: Node) -> tuple[str, str]:
        """The instance's name for a node's items, and what named it."""
        found = self._nodes.get(node.name)
        if found is None:
            asked, why = self._asked(node)
            found = self._nodes[node.name] = (self.resolve(asked), why)
        return found

    def forget(self) -> None:
        """The network changed: choose anew."""
        self._nodes.clear()

    def default_name(self) -> str:
        """What is named for nodes that name nothing themselves."""
        return self.default or self.profile_default or self.network.default_scheduler or DEFAULT

    def _asked(self, node: Node) -> tuple[str, str]:
        for name, why in (
            (self.by_node.get(node.name), f"--override {node.name}="),
            (self.profile_nodes.get(node.name), self._profiles_own),
            (node.scheduler, NODES_OWN),
            (self.default, "--scheduler"),
            (self.profile_default, self._profiles_own),
            (self.network.default_scheduler, NETWORKS_DEFAULT),
        ):
            if name:
                return name, why
        return DEFAULT, "nothing else was named"

    @property
    def _profiles_own(self) -> str:
        return f'profile "{self.profile}"'

    def for_item(self, item: WorkItem) -> tuple[str, str]:
        """The instance's name for one item, and why; in-process items go where they are accepted."""
        name, why = self._named_by(item) or self.for_node(item.node)
        if int(item.traits) & _IN_PROCESS and not self.accepts(name, item):
            return self.in_process(), f'in process, which "{name}" does not accept'
        return name, why

    def _named_by(self, item: WorkItem) -> tuple[str, str] | None:
        name = self.named_by(item)
        return (self.resolve(name), f"the item's attribute {ATTRIBUTE}") if name else None

    @staticmethod
    def named_by(item: WorkItem) -> str:
        """What the item's own attribute asks for, empty when it does not."""
        attribute = item.attributes.get(ATTRIBUTE) if item.attributes else None
        return str(attribute.values[0] or "") if attribute is not None and attribute.values else ""

    def in_process(self) -> str:
        """The network's in-process scheduler, an implicit one if it names none."""
        return self.resolve(self.network.in_process_scheduler or IN_PROCESS_DEFAULT)
