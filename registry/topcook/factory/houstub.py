"""A small stand-in for Houdini's ``hou``, for schedulers that only ask it which Houdini this is; opted in to.

``TOPCOOK_HOU=stub`` in the environment makes ``import hou`` give it. Whatever else is asked of it raises
``HoudiniNeededError``, which says what was asked.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from topcook.contract.env import expand_vars
from topcook.errors import HoudiniNeededError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["offer_hou"]

VARIABLE = "TOPCOOK_HOU"
#: The Houdini whose API page the scheduler classes mirror.
HOUDINI = (21, 0, 0)


class HouStub(ModuleType):
    """The module; unknown names raise."""

    def __getattr__(self, name: str) -> Any:
        """Raises: an ``AttributeError`` too, so that ``hasattr`` answers."""
        raise _needed(f"hou.{name}", name)


class _HipFile:
    """``hou.hipFile``: the name that ``$HIP`` and ``$HIPNAME`` give."""

    def path(self) -> str:
        return os.environ.get("HIPFILE") or os.path.join(os.environ.get("HIP", os.getcwd()), self.basename())

    def basename(self) -> str:
        given = os.environ.get("HIPFILE", "")
        return os.path.basename(given) if given else os.environ.get("HIPNAME", "untitled") + ".hip"

    name = path

    def hasUnsavedChanges(self) -> bool:  # noqa: N802 - hou's own name
        return False

    def isNewFile(self) -> bool:  # noqa: N802 - hou's own name
        return False

    def __getattr__(self, name: str) -> Any:
        raise _needed(f"hou.hipFile.{name}", name)


def _needed(what: str, name: str) -> HoudiniNeededError:
    error = HoudiniNeededError(
        f'"{what}" needs Houdini: the stand-in of {VARIABLE}=stub does not have it\n'
        "    ask for it only where hou.isUIAvailable(), or cook this scheduler inside Houdini"
    )
    error.name = name
    return error


def _nothing(_path: object) -> None:
    """No scene is open: there is no node and no parm."""


def _expand(text: str) -> str:
    return expand_vars(str(text), os.environ)


def _getenv(name: str, default: str | None = None) -> str | None:
    return os.environ.get(name, default)


def _putenv(name: str, value: str) -> None:
    os.environ[str(name)] = str(value)


def _hscript(command: str) -> tuple[str, str]:
    raise _needed(f"hou.hscript({command!r})", "hscript")


def make_hou() -> ModuleType:
    """A fresh stand-in."""
    made = HouStub("hou", "A stand-in for Houdini's hou (TOPCOOK_HOU=stub).")
    error = type("Error", (Exception,), {"__module__": "hou", "instanceMessage": str})
    names = [
        "OperationFailed",
        "OperationInterrupted",
        "InvalidInput",
        "InvalidNodeName",
        "NodeError",
        "PermissionError",
        "ObjectWasDeleted",
        "LoadWarning",
        "NotAvailable",
        "HandleNotRegistered",
    ]
    version = ".".join(map(str, HOUDINI))
    vars(made).update(
        {each: type(each, (error,), {"__module__": "hou"}) for each in names},
        Error=error,
        applicationVersion=lambda include_patch=False: (*HOUDINI, 0) if include_patch else HOUDINI,
        applicationVersionString=lambda include_patch=False: version + (".0" if include_patch else ""),
        applicationName=lambda: "hbatch",
        hipFile=_HipFile(),
        node=_nothing,
        nodeBySessionId=_nothing,
        parm=_nothing,
        isUIAvailable=lambda: False,
        isApprentice=lambda: False,
        getenv=_getenv,
        putenv=_putenv,
        hscript=_hscript,
        expandString=_expand,
        text=SimpleNamespace(expandString=_expand),
        houdiniPath=lambda *_: [],
        homeHoudiniDirectory=lambda: os.path.expanduser("~"),
        frame=lambda: 1.0,
        fps=lambda: 24.0,
    )
    return made


def offer_hou(environ: Mapping[str, str]) -> list[Problem]:
    """Make ``import hou`` give the stand-in where the environment asks for it and there is no other.

    Answers with a problem for a value that says nothing.
    """
    asked = environ.get(VARIABLE, "")
    if asked in {"", "0", "none", "off"}:
        return []
    if asked != "stub":
        hint = f"{VARIABLE}=stub gives a stand-in; without it there is no hou"
        return [Problem("hou", f'{VARIABLE} is "{asked}", which says nothing', hint=hint)]
    sys.modules.setdefault("hou", make_hou())
    return []
