"""``work_item.data``: 17.5's view of a work item's attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.model.attributes import AttribType

if TYPE_CHECKING:
    from topcook.contract.workitem import WorkItem


class WorkItemData:
    """``pdg.WorkItemData``: the same attributes under their old method names, ``command`` included."""

    __slots__ = ("_item",)

    def __init__(self, item: WorkItem) -> None:
        """Stand for the data of ``item``."""
        self._item = item

    def getString(self, name: str, index: int = 0) -> str:
        """A string, the empty one without such an attribute; ``command`` is the item's command."""
        return self.stringData(name, index) or ""

    def getInt(self, name: str, index: int = 0) -> int:
        """An int, 0 without such an attribute."""
        return self.intData(name, index) or 0

    def getFloat(self, name: str, index: int = 0) -> float:
        """A float, 0 without such an attribute."""
        return self.floatData(name, index) or 0.0

    def stringData(self, name: str, index: int = 0) -> str | None:
        """A string, ``None`` without such an attribute."""
        return self._item.stringAttribValue(name, index)

    def intData(self, name: str, index: int = 0) -> int | None:
        """An int, ``None`` without such an attribute."""
        return self._item.intAttribValue(name, index)

    def floatData(self, name: str, index: int = 0) -> float | None:
        """A float, ``None`` without such an attribute."""
        return self._item.floatAttribValue(name, index)

    def stringDataArray(self, name: str) -> list[str]:
        """All components as text."""
        return self._item.stringAttribArray(name)

    def intDataArray(self, name: str) -> list[int]:
        """All components as ints."""
        return self._item.intAttribArray(name)

    def floatDataArray(self, name: str) -> list[float]:
        """All components as floats."""
        return self._item.floatAttribArray(name)

    def setString(self, name: str, value: Any, index: int = 0) -> None:
        """Set a string; ``command`` is the item's command."""
        self._item.setStringAttrib(name, value, index)

    def setInt(self, name: str, value: Any, index: int = 0) -> None:
        """Set an int."""
        self._item.setIntAttrib(name, value, index)

    def setFloat(self, name: str, value: Any, index: int = 0) -> None:
        """Set a float."""
        self._item.setFloatAttrib(name, value, index)

    def setStringArray(self, name: str, values: Any) -> None:
        """Set all strings."""
        self._item.setStringAttrib(name, list(values))

    def setIntArray(self, name: str, values: Any) -> None:
        """Set all ints."""
        self._item.setIntAttrib(name, list(values))

    def setFloatArray(self, name: str, values: Any) -> None:
        """Set all floats."""
        self._item.setFloatAttrib(name, list(values))

    @property
    def stringDataMap(self) -> dict[str, list[Any]]:
        """All string attributes, and the command."""
        found = self._map(AttribType.String)
        return {"command": [self._item.command], **found} if self._item.command else found

    @property
    def intDataMap(self) -> dict[str, list[Any]]:
        """All int attributes."""
        return self._map(AttribType.Int)

    @property
    def floatDataMap(self) -> dict[str, list[Any]]:
        """All float attributes."""
        return self._map(AttribType.Float)

    @property
    def allDataMap(self) -> dict[str, list[Any]]:
        """All attributes."""
        return self._map(AttribType.Undefined)

    def removeData(self, name: str) -> bool:
        """Take an attribute away; whether there was one."""
        return self._item.eraseAttrib(name)

    def _map(self, kind: AttribType) -> dict[str, list[Any]]:
        return {name: self._item.attribArray(name) for name in self._item.attribNames(kind)}
