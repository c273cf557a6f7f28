"""Path maps: the same place under the names that different machines have for it. ``pdg.PathMap`` is a face of them."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from topcook.errors import CookError
from topcook.lean import dataclass, field, pattern
from topcook.model.enums import PathMapMatchType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Zone by ``sys.platform``; anything else is LINUX.
ZONES = {"win32": "WIN", "cygwin": "WIN", "darwin": "MAC"}
MATCHES = ("prefix", "contains", "suffix")
#: Where the rules of this process stand, and what its jobs read.
VARIABLE, ZONE_VARIABLE = "PDG_PATHMAP", "PDG_PATHMAP_ZONE"
_WINDOWS = pattern(r"[A-Za-z]:(?:[\\/]|\Z)|\\\\|//[^/]")


def local_zone(env: Mapping[str, str] = os.environ) -> str:
    """This machine's zone: ``$PDG_PATHMAP_ZONE``, else by its operating system."""
    return env.get(ZONE_VARIABLE) or ZONES.get(sys.platform, "LINUX")


@dataclass(frozen=True, slots=True)
class PathRule:
    """``from_path`` is ``to_path`` in ``zone`` (``*``: in all; POSIX: in all but WIN).

    A drive letter or a UNC path, and any path in the zone WIN, is compared without regard to case and to the kind of
    slash. A prefix ends where a name ends: ``/show/shot1`` says nothing about ``/show/shot10``. ``origin`` says who
    wrote the rule. ``pdgjob/_pathmap.py`` applies rules in jobs just so; a test holds the two together.
    """

    from_path: str
    to_path: str
    zone: str = "*"
    match: str = "prefix"
    scheduler: str | None = None
    origin: str = field(default="", compare=False)

    # What a ``pdg.PathMapEntry`` is asked for; no public text gives its names, these are those of ``addPathMapping``.

    @property
    def mapFrom(self) -> str:
        """The path that is replaced."""
        return self.from_path

    @property
    def mapTo(self) -> str:
        """What it becomes."""
        return self.to_path

    @property
    def matchType(self) -> PathMapMatchType:
        """How it is looked for."""
        return PathMapMatchType[self.match.capitalize()]

    def holds_in(self, zone: str) -> bool:
        """Whether the rule is for this zone."""
        mine, asked = self.zone.upper() or "*", zone.upper()
        return mine in ("*", asked) or (mine == "POSIX" and asked != "WIN")

    def apply(self, path: str, zone: str = "") -> str | None:
        """``path`` by this rule, ``None`` when it does not fit."""
        windows = zone.upper() == "WIN" or bool(_WINDOWS.match(self.from_path))
        have, want = (_folded(path), _folded(self.from_path)) if windows else (path, self.from_path)
        if not want or not have:
            return None
        if self.match == "contains":
            at = have.find(want)
            return None if at < 0 else path[:at] + self.to_path + path[at + len(want) :]
        if self.match == "suffix":
            return path[: len(path) - len(want)] + self.to_path if have.endswith(want) else None
        want = want.rstrip("/")
        rest = have[len(want) :]
        if not have.startswith(want) or (rest and rest[0] != "/"):
            return None
        return _joined(self.to_path, path[len(want) :], windows=windows)


def to_farm(working: tuple[str, str]) -> PathRule | None:
    """The rule from this machine's view of a working directory to its farm's; ``None`` where it is none.

    Where the farm's lies below ours, a path in the farm's view would be taken for one in ours: then there is none.
    """
    local, remote = working
    if local == remote:
        return None
    rule = PathRule(local, remote, origin="the working directory")
    return rule if rule.apply(remote) is None else None


def _folded(text: str) -> str:
    # Character by character, so that places in the folded text hold in the text: "İ" would become two.
    return "".join(low if len(low := each.lower()) == 1 else each for each in text).replace("\\", "/")


def _joined(target: str, rest: str, *, windows: bool) -> str:
    """``rest`` (empty, or from a slash on) below ``target``, in the kind of slash that ``target`` has."""
    if not rest:
        return target
    if "\\" in target:
        return target.rstrip("/\\") + rest.replace("/", "\\")
    return target.rstrip("/") + (rest.replace("\\", "/") if windows else rest)


class PathRules:
    """Rules in order: the first that fits wins."""

    def __init__(self, rules: Iterable[PathRule] = ()) -> None:
        """Keep the rules, each once."""
        self.rules = list(dict.fromkeys(rules))

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], env: Mapping[str, str] = os.environ) -> PathRules:
        """The rules of a network (``Network.path_maps``), then those of ``$PDG_PATHMAP``."""
        return cls([*(PathRule(**row) for row in rows), *cls.from_environment(env).rules])

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> PathRules:
        """The rules of ``$PDG_PATHMAP``; none when that is no path map: what it then is, is not ours to judge."""
        text = env.get(VARIABLE)
        with contextlib.suppress(CookError):
            return cls.from_json(text) if text else cls()
        return cls()

    @classmethod
    def from_json(cls, text: str) -> PathRules:
        """Read the form that jobs get; raises ``CookError`` for anything else."""
        import json

        try:
            rows = [(source, rule) for row in json.loads(text)["paths"] for source, rule in row.items()]
            rules = [_rule(str(source), rule) for source, rule in rows]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CookError(
                f"this is no path map: {type(error).__name__}: {error}\n"
                '    the form is {"paths": [{"/from": {"zone": "LINUX", "path": "/to"}}]}'
            ) from error
        return cls(rules)

    def to_json(self) -> str:
        """The form that jobs read (``PDG_PATHMAP``)."""
        import json

        paths = []
        for rule in self.rules:
            row = {"zone": rule.zone, "path": rule.to_path, "matchtype": rule.match}
            paths.append({rule.from_path: {**row, "scheduler": rule.scheduler} if rule.scheduler else row})
        return json.dumps({"paths": paths})

    def for_scheduler(self, name: str) -> PathRules:
        """The rules that hold for a scheduler's jobs."""
        return PathRules(rule for rule in self.rules if rule.scheduler in (None, "", "*", name))

    def rule_for(self, path: str, zone: str) -> PathRule | None:
        """The first rule of the zone that fits, ``None`` without one."""
        fits = (rule for rule in self.rules if rule.holds_in(zone) and rule.apply(path, zone) is not None)
        return next(fits, None)

    def mapped(self, path: str, zone: str) -> str:
        """``path`` as it is called in ``zone``; unchanged when no rule fits."""
        rule = self.rule_for(path, zone)
        mapped = rule.apply(path, zone) if rule else None
        return path if mapped is None else mapped


def _rule(source: str, row: Mapping[str, Any]) -> PathRule:
    match, zone = _match(row.get("matchtype", "prefix")), str(row.get("zone", "*"))
    return PathRule(source, str(row["path"]), zone, match, row.get("scheduler") or None, f"${VARIABLE}")


def _match(kind: Any) -> str:
    """A kind of match by its enum, number or name; raises ``ValueError``."""
    name = kind.lower() if isinstance(kind, str) else PathMapMatchType(kind).name.lower()
    if name not in MATCHES:
        raise ValueError(f'there is no match "{kind}"; it may be {", ".join(MATCHES)}')
    return name


class PathMap:
    """``pdg.PathMap``: the path map of this process, which stands in ``$PDG_PATHMAP`` and which its jobs inherit.

    While a network cooks, its own ``[[pathmap]]`` rules come first there; what is changed then lasts to the cook's end.
    All but the three methods for ``edit`` are static.
    """

    def __init__(self, rules: Iterable[PathRule] = ()) -> None:
        """A draft of the map: what ``edit`` gives."""
        self._rules = list(rules)

    def addPathMapping(
        self, zone: str, mapFrom: str, mapTo: str, createdBy: str = "", matchType: Any = PathMapMatchType.Prefix
    ) -> None:
        """Add a rule at the end; with ``createdBy`` it is for that scheduler's jobs only."""
        kind = _match(matchType)
        self._rules.append(PathRule(str(mapFrom), str(mapTo), zone or "*", kind, createdBy or None))

    def clearAllMappings(self) -> None:
        """Drop all rules."""
        self._rules.clear()

    def clearSchedulerMappings(self, scheduler: str) -> None:
        """Drop the rules that are for this scheduler only."""
        self._rules = [rule for rule in self._rules if rule.scheduler != scheduler]

    @staticmethod
    @contextlib.contextmanager
    def edit() -> Iterator[PathMap]:
        """``with pdg.PathMap.edit() as draft:`` change the draft; it takes effect at the end, unless that raises."""
        draft = PathMap(PathRules.from_environment().rules)
        yield draft
        os.environ[VARIABLE] = PathRules(draft._rules).to_json()

    @staticmethod
    def mapPath(path: str, zone: str = "") -> str:
        """``path`` as it is called in ``zone`` (this machine's); unchanged when no rule fits."""
        return PathRules.from_environment().mapped(str(path), zone or local_zone())

    @staticmethod
    def mapPathToLocal(path: str) -> str:
        """``path`` as this machine calls it."""
        return PathMap.mapPath(path)

    @staticmethod
    def mappings(zone: str = "", scheduler: str = "") -> list[PathRule]:
        """The rules in order; with ``zone`` or ``scheduler`` those that hold there."""
        rules = PathRules.from_environment()
        if scheduler:
            rules = rules.for_scheduler(scheduler)
        return [rule for rule in rules.rules if not zone or rule.holds_in(zone)]

    @staticmethod
    def mappingZone() -> str:
        """This machine's zone."""
        return local_zone()

    @staticmethod
    def setMappingZone(zone: str) -> None:
        """Set this machine's zone; an empty one goes back to that of its operating system."""
        os.environ[ZONE_VARIABLE] = str(zone)

    @staticmethod
    def pathMapJSON() -> str:
        """The rules as JSON, the form of ``PDG_PATHMAP``."""
        return PathRules.from_environment().to_json()

    @staticmethod
    def setPathMapJSON(json_string: str, merge: bool = False) -> None:
        """Take the rules from JSON, with ``merge`` behind those there are.

        Raises ``CookError`` for what is no path map, and keeps the old one.
        """
        new = PathRules.from_json(json_string).rules
        old = PathRules.from_environment().rules if merge else []
        os.environ[VARIABLE] = PathRules([*old, *new]).to_json()
