"""The Python of an in-process item as text, for schedulers that run it in another process."""

from __future__ import annotations

from typing import Any

from topcook.lean import NamedTuple

__all__ = ["SOURCE_OF", "TaskScript", "gives_task_script"]

#: The method by which a node type gives the text, and the callback that this text stands for.
SOURCE_OF, COOKED_BY = "taskScript", "onCookTask"


class TaskScript(NamedTuple):
    """What ``onCookTask`` would run: a module, or with ``body`` the body of a function of ``self`` and ``work_item``.

    ``path`` and ``line`` say where its first line stands, for tracebacks; an empty text does nothing.
    """

    text: str
    path: str
    line: int = 1
    body: bool = False


def gives_task_script(cls: type[Any]) -> bool:
    """Whether the text that a node type gives is what its ``onCookTask`` runs.

    A class derived from such a type that has an ``onCookTask`` of its own does something else.
    """
    homes = [next((each for each in cls.__mro__ if name in vars(each)), None) for name in (SOURCE_OF, COOKED_BY)]
    return homes[0] is not None and homes[0] is homes[1]
