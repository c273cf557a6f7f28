"""``pdg.PathMap``: the same place under the names that different machines have for it."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from topcook.errors import CookError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Zone by ``sys.platform``; anything else is LINUX.
ZONES = {"win32": "WIN", "cygwin": "WIN", "darwin": "MAC"}
MATCHES = ("prefix", "contains", "suffix")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\|//[^/]")


def local_zone() -> str:
    """This machine's zone: ``$PDG_PATHMAP_ZONE``, else by its operating system."""
    return os.environ.get("PDG_PATHMAP_ZONE") or ZONES.get(sys.platform, "LINUX")


@dataclass(frozen=True, slots=True)
class PathRule:
    """``from_path`` is ``to_path`` in ``zone`` (``*``: in all; POSIX: in all but WIN).

    A drive letter or a UNC path is compared without regard to case and to the kind of slash. A prefix ends where a name
    ends: ``/show/shot1`` says nothing about ``/show/shot10``.
    """

    from_path: str
    to_path: str
    zone: str = "*"
    match: str = "prefix"
    scheduler: str | None = None

    def holds_in(self, zone: str) -> bool:
        """Whether the rule is for this zone."""
        return self.zone in ("*", zone) or (self.zone == "POSIX" and zone != "WIN")

    def apply(self, path: str) -> str | None:
        """``path`` by this rule, ``None`` when it does not fit."""
        have, want = self._folded(path), self._folded(self.from_path)
        if not want:
            return None
        if self.match == "contains":
            at = have.find(want)
            return None if at < 0 else path[:at] + self.to_path + path[at + len(want) :]
        if self.match == "suffix":
            return path[: len(path) - len(want)] + self.to_path if have.endswith(want) else None
        want = want.rstrip("/")
        rest = path[len(want) :]
        if not have.startswith(want) or rest[:1] not in ("", "/", "\\"):
            return None
        target = self.to_path if self.to_path in ("/", "") else self.to_path.rstrip("/\\")
        return target + (rest.replace("\\", "/") if "\\" not in target else rest.replace("/", "\\"))

    def _folded(self, text: str) -> str:
        # Both sides are folded in the same way and to the same length, so that places in one hold in the other.
        return text.replace("\\", "/").casefold() if _WINDOWS.match(self.from_path) and text.isascii() else text


class PathMap:
    """Rules in order: the first that fits wins."""

    def __init__(self, rules: Iterable[PathRule] = (), zone: str = "") -> None:
        """Keep the rules; without a zone they are read for this machine's."""
        self.mappings = list(rules)
        self.mappingZone = zone or local_zone()

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], scheduler: str | None = None) -> PathMap:
        """The rules of a network that hold for a scheduler."""
        rules = [PathRule(**row) for row in rows]
        return cls(rule for rule in rules if rule.scheduler in (None, "", scheduler))

    def setMappingZone(self, zone: str) -> None:
        """Read the rules for another zone."""
        self.mappingZone = str(zone)

    def rule_for(self, path: str, zone: str | None = None) -> PathRule | None:
        """The first rule of the zone that fits, ``None`` without one."""
        wanted = zone or self.mappingZone
        return next((rule for rule in self.mappings if rule.holds_in(wanted) and rule.apply(path) is not None), None)

    def mapPath(self, path: str, zone: str | None = None) -> str:
        """``path`` as it is called in ``zone``; unchanged when no rule fits."""
        rule = self.rule_for(path, zone)
        mapped = rule.apply(path) if rule else None
        return path if mapped is None else mapped

    def mapPathToLocal(self, path: str) -> str:
        """``path`` as this machine calls it."""
        return self.mapPath(path, local_zone())

    @property
    def pathMapJSON(self) -> str:
        """The rules as jobs read them (``PDG_PATHMAP``)."""
        import json

        return json.dumps(
            {
                "paths": [
                    {rule.from_path: {"zone": rule.zone, "path": rule.to_path, "matchtype": rule.match}}
                    for rule in self.mappings
                ]
            }
        )

    def setPathMapJSON(self, text: str) -> None:
        """Take the rules from that form; raises ``CookError`` for anything else, and keeps the old ones."""
        import json

        try:
            rows = json.loads(text)["paths"]
            rules = [
                PathRule(source, rule["path"], rule.get("zone", "*"), str(rule.get("matchtype", "prefix")).lower())
                for row in rows
                for source, rule in row.items()
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CookError(
                f"this is no path map: {error}\n"
                '    the form is {"paths": [{"/from": {"zone": "LINUX", "path": "/to"}}]}'
            ) from error
        odd = [rule.match for rule in rules if rule.match not in MATCHES]
        if odd:
            raise CookError(f'a path map matches by "{odd[0]}"\n    it may be {", ".join(MATCHES)}')
        self.mappings = rules
