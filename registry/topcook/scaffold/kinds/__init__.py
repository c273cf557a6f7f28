"""The kinds of schedulers to begin with, by the way in which one hears from the farm."""

from __future__ import annotations

from topcook.scaffold.kind import Kind
from topcook.scaffold.kinds import cli, farm, inprocess, poll, rest, static

__all__ = ["KINDS"]

KINDS: dict[str, Kind] = {each.KIND.name: each.KIND for each in (poll, cli, rest, inprocess, static, farm)}
