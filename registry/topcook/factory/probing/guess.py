"""The record of a file that gave no type, made from its text: what it might have been called, and what kind it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from topcook.factory.records import Kind, Record, State

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.sources import Candidate

__all__ = ["guessed"]

_TEMPLATE_NAME = re.compile(
    rb"def[ \t]+templateName\b[^\n]*\n(?:[^\n]*\n){0,8}?[ \t]*return[ \t]+[urb]*[\"']([\w.-]+)[\"']"
)
_REGISTERED_NAME = re.compile(rb"register(?:Scheduler|Node)\([^)]*\bname[ \t]*=[ \t]*[\"']([\w.-]+)[\"']")
_CLASS = re.compile(rb"^class[ \t]+(\w+)", re.MULTILINE)


def guessed(candidate: Candidate, content: bytes, state: State, problems: list[Problem], reason: str = "") -> Record:
    """A record that answers to every name that the file might have given."""
    names = _likely_names(content)
    name = names[0] if len(names) == 1 else candidate.stem
    record = Record(name, candidate.origin, state, Kind.UNKNOWN, problems=problems, reason=reason)
    classes = [name.decode("utf-8", "replace").lower() for name in _CLASS.findall(content)]
    record.aliases = tuple(dict.fromkeys([*(name.lower() for name in names), candidate.stem.lower(), *classes]))
    if b"registerScheduler" in content or b"registerNode" not in content:
        record.kind, record.category = Kind.SCHEDULER, "Schedulers"
    else:
        record.kind, record.category = Kind.NODE, "Processors"
    record.line = next((problem.line for problem in problems if problem.path == candidate.path), None)
    return record


def _likely_names(content: bytes) -> list[str]:
    found = [*_TEMPLATE_NAME.findall(content), *_REGISTERED_NAME.findall(content)]
    return list(dict.fromkeys(name.decode("utf-8", "replace") for name in found))
