"""``pdg.Port``: a parm of a node or scheduler as author code reads and sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.env import expand_vars
from topcook.contract.expressions import expand
from topcook.errors import CookError, ExpressionError
from topcook.model.enums import DataType, PortType
from topcook.model.secrets import MASK, Secret, held

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.contract.host import GraphServices
    from topcook.model.parms import Parm

#: Kinds of parm and PDG's data type for them.
DATA_TYPES: dict[str, DataType] = {
    "String": DataType.String,
    "Integer": DataType.Integer,
    "Float": DataType.Float,
    "Toggle": DataType.Integer,
}
_FALSE = frozenset({"", "0", "off", "no", "false"})


class Port:
    """A handle on one parm.

    ``scoped`` ports (those of nodes) read ``@attributes`` when they are evaluated with a work item. Ports of schedulers
    do not: an ``@`` in an address or a path stands for itself. Variables are replaced in both; one that is not
    defined stays in a string and counts as 0 in a number.
    """

    __slots__ = ("_changed", "_owner", "_parm", "_scoped", "_services")

    def __init__(
        self,
        parm: Parm,
        services: GraphServices,
        *,
        owner: Any = None,
        scoped: bool = False,
        changed: Callable[[str], None] | None = None,
    ) -> None:
        """Stand for ``parm``; ``owner`` is what ``node`` answers, ``changed(name)`` is called when it is set."""
        self._parm = parm
        self._services = services
        self._owner = owner
        self._scoped = scoped
        self._changed = changed

    @property
    def name(self) -> str:
        """The parm's name."""
        return self._parm.name

    @property
    def label(self) -> str:
        """The parm's label, its name when it has none."""
        return self._parm.spec.label or self._parm.name

    @property
    def size(self) -> int:
        """How many components it has."""
        return max(self._parm.spec.size, len(self._parm.values or ()))

    @property
    def value(self) -> Any:
        """What was set, or the default, as it is written: a scalar, or a list when there are several components."""
        return self._all(self._at)

    @property
    def defaultValue(self) -> Any:
        """The template's default, a list when there are several components."""
        return self._all(self._parm.spec.default_at)

    @property
    def tags(self) -> list[str]:
        """The template's tags, sorted."""
        return sorted(self._parm.spec.tags)

    def hasTag(self, tag: str) -> bool:
        """Whether the template gives it this tag."""
        return tag in self._parm.spec.tags

    @property
    def dataType(self) -> DataType:
        """``pdg.dataType`` of its values; a toggle is an Integer."""
        return DATA_TYPES.get(self._parm.spec.type, DataType.Invalid)

    @property
    def portType(self) -> PortType:
        """Always ``pdg.portType.Parameter``: connections belong to nodes."""
        return PortType.Parameter

    @property
    def isBuiltin(self) -> bool:
        """Whether every node of this kind has it (``pdg_tickperiod``)."""
        return self._parm.name.startswith("pdg_")

    @property
    def isCustom(self) -> bool:
        """Whether the network gave it without the type declaring it."""
        return not self._parm.spec.declared

    @property
    def node(self) -> Any:
        """The node or scheduler it belongs to."""
        return self._owner

    @property
    def connections(self) -> list[Port]:
        """Nothing is ever connected to a parm."""
        return []

    def evaluate(self, work_item: Any = None) -> Any:
        """The value in its own type, a list when there are several components."""
        read = {"Integer": self.evaluateInt, "Float": self.evaluateFloat, "Toggle": self.evaluateBool}.get(
            self._parm.spec.type, self.evaluateString
        )
        return self._all(lambda index: read(work_item, index))

    def evaluateString(self, work_item: Any = None, index: int = 0) -> str:
        """Component ``index`` as text, with variables and, for a node's parm with an item, expressions replaced.

        Raises ``ExpressionError`` when the text names an attribute that the item does not have.
        """
        value = self._at(index)
        if self._parm.spec.secret:
            return str(value)
        if isinstance(value, bool):
            return str(int(value))
        if not isinstance(value, str):
            return "" if value is None else str(value)
        if self._scoped and work_item is not None:
            return expand(value, getattr(work_item, "record", work_item), self._services)
        return expand_vars(value, self._services.environment()) if "$" in value else value

    def evaluateInt(self, work_item: Any = None, index: int = 0) -> int:
        """Component ``index`` as an int; a fraction is cut off, an empty text is 0."""
        value = self._at(index)
        return value if type(value) is int else int(self._number(work_item, index))

    def evaluateFloat(self, work_item: Any = None, index: int = 0) -> float:
        """Component ``index`` as a float, also of an Integer parm; an empty text is 0."""
        value = self._at(index)
        return value if type(value) is float else float(self._number(work_item, index))

    def evaluateBool(self, work_item: Any = None, index: int = 0) -> bool:
        """Component ``index`` as a bool; of text, ``0``, ``off``, ``no``, ``false`` and nothing are false."""
        value = self._at(index)
        if isinstance(value, str):
            return self.evaluateString(work_item, index).strip().lower() not in _FALSE
        return bool(value)

    def setValue(self, value: Any, index: int = 0) -> None:
        """Set component ``index``, or everything when ``value`` is a list."""
        if self._parm.spec.secret:
            value = [held(each) for each in value] if isinstance(value, list | tuple) else held(value)
        if isinstance(value, list | tuple):
            self._parm.values = list(value)
        else:
            values = [self._parm.at(number) for number in range(max(self.size, index + 1))]
            values[index] = value
            self._parm.values = values
        if self._changed is not None:
            self._changed(self._parm.name)

    def _at(self, index: int) -> Any:
        """Component ``index`` as it is written; of a secret the value itself. Raises ``CookError`` without one."""
        value = self._parm.at(index)
        if not isinstance(value, Secret):
            return value
        try:
            return self._services.vault.reveal(value)
        except CookError as error:
            raise CookError(f'secret parm "{self.name}": {error}') from None

    def _all(self, read: Callable[[int], Any]) -> Any:
        return read(0) if self.size == 1 else [read(index) for index in range(self.size)]

    def _number(self, work_item: Any, index: int) -> float:
        value = self._at(index)
        if not isinstance(value, str):
            return value or 0
        text = self.evaluateString(work_item, index).strip()
        try:
            # int first: a float would round ids above 2**53.
            return int(text) if text.lstrip("+-").isdigit() else float(text or 0)
        except ValueError:
            if "$" in text:
                return 0
            owner = getattr(self._owner, "name", "")
            where = f' of "{owner}"' if owner else ""
            shown = MASK if self._parm.spec.secret else text
            raise ExpressionError(f'parm "{self.name}"{where} is "{shown}", which is no number') from None

    def __repr__(self) -> str:
        """Name and raw value, unless it is a secret."""
        return f"<Port {self.name}={MASK if self._parm.spec.secret else self.value!r}>"
