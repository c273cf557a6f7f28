"""Named resources (licences, slots over all schedulers): how many there are, and who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.machine.policies import Policies
    from topcook.model.policy import Needs
    from topcook.model.workitem import WorkItem

#: The total of slots over all schedulers goes under a name that nobody can write.
SLOTS = ""


class Resources:
    """What can be had at once.

    Invariant: ``used[name] <= total[name]``, unless the total was lowered while more was out.
    """

    __slots__ = ("_held", "_policies", "total", "used")

    def __init__(self, total: dict[str, int], policies: Policies | None) -> None:
        """``total`` is how many there are of each; ``policies`` says what items need."""
        self.total = dict(total)
        self.used = dict.fromkeys(total, 0)
        self._held: dict[int, Needs] = {}
        self._policies = policies

    def needs_of(self, item: WorkItem) -> Needs:
        """What an item has to have to be handed over; a sub-item needs nothing besides its batch."""
        if item.batch_parent is not None:
            return ()
        needs = self._policies.of(item).needs if self._policies is not None else ()
        most = self.total.get(SLOTS, 0)
        # An item that wants more slots than there are gets all there are.
        return ((SLOTS, min(item.slots, most)), *needs) if most > 0 else needs

    def lacking(self, needs: Needs) -> list[str]:
        """The names of which too few are free."""
        return [name for name, amount in needs if self.used[name] + amount > self.total[name]]

    def take(self, item: WorkItem, needs: Needs) -> None:
        """An item is handed over."""
        if needs:
            self._held[item.id] = needs
            for name, amount in needs:
                self.used[name] += amount

    def hold(self, item: WorkItem) -> None:
        """A scheduler has the item, also one that was handed over in an earlier session: what it needs is out."""
        if item.id not in self._held:
            self.take(item, self.needs_of(item))

    def give_back(self, item: WorkItem) -> None:
        """An item is not held any more."""
        for name, amount in self._held.pop(item.id, ()):
            self.used[name] -= amount

    def set_total(self, name: str, count: int) -> None:
        """There are more now, or fewer: what is out stays out."""
        self.total[name] = count
        self.used.setdefault(name, 0)

    def check(self, held: Iterable[WorkItem]) -> None:
        """Count again what is out; raises ``InternalError`` when that is something else."""
        used = dict.fromkeys(self.used, 0)
        ids = set()
        for item in held:
            ids.add(item.id)
            for name, amount in self._held.get(item.id, ()):
                used[name] += amount
        if used != self.used or not self._held.keys() <= ids:
            raise InternalError(f"resources in use: counted {self.used}, found {used}")
