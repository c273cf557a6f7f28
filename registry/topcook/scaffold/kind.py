"""A kind of scheduler to begin with: what is special about it, everything else comes from the contract table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topcook.lean import dataclass, field

__all__ = ["Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """``bodies`` are the callbacks that it fills, by name; ``head`` stands before the class, ``helpers`` end it.

    In all texts ``@name@`` is the type's name, ``@class@`` its class, ``@label@`` its label. ``parms`` are template
    parms whose names are put behind ``<name>_``. ``state`` are the lines of ``__init__`` after those of its bases.
    """

    name: str
    sentence: str
    about: str
    imports: tuple[str, ...]
    bodies: Mapping[str, str]
    parms: tuple[Mapping[str, Any], ...] = ()
    head: str = ""
    state: str = ""
    helpers: str = ""
    network: str = ""
    #: Whether jobs run on this machine: then the result server need not be reached from others.
    here: bool = True
    #: Callbacks written besides those that the help page calls a must.
    more: tuple[str, ...] = field(default=("onTick", "onCancelWorkItems"))
