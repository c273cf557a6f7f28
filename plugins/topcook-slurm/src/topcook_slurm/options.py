"""Parms of the scheduler, and what ``sbatch`` is told of those that nodes and items may override."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from topcook.author import ParmRow, parm_defaults, parm_template

__all__ = ["JOB_PARMS", "PREFIX", "BadOptionError", "options", "template_parms"]

PREFIX = "slurm"

#: name, label, type, default: what holds for the whole scheduler.
_OWN: tuple[ParmRow, ...] = (
    # The cluster queues: nothing is gained by handing over few items at a time.
    ("pdg_maxitems", "Max Items", "Integer", 0),
    ("slurm_conf", "Configuration File", "String", ""),
    ("slurm_collect", "Collect for Seconds", "Float", 0.1),
    ("slurm_maxarray", "Max Tasks in an Array", "Integer", 0),
    ("slurm_poll", "Ask Every", "Float", 10.0),
    ("slurm_lostafter", "Lost After", "Float", 30.0),
    ("slurm_timeout", "Command Timeout", "Float", 30.0),
    ("slurm_statusurl", "Status URL", "String", "slurm:{job}"),
)
#: name without prefix, label, type, default, and the option of ``sbatch`` that it gives, where it is one.
_JOB: tuple[tuple[str, str, str, float | str, str], ...] = (
    ("partition", "Partition", "String", "", "--partition"),
    ("account", "Account", "String", "", "--account"),
    ("qos", "QOS", "String", "", "--qos"),
    ("cpus", "CPUs per Job", "Integer", 0, "--cpus-per-task"),
    ("memory", "Memory", "String", "", "--mem"),
    ("gres", "Generic Resources", "String", "", "--gres"),
    ("constraint", "Constraint", "String", "", "--constraint"),
    ("time", "Time Limit", "String", "", "--time"),
    ("nice", "Nice", "Integer", 0, "--nice"),
    ("priority", "Priority", "String", "", "--priority"),
    ("reservation", "Reservation", "String", "", "--reservation"),
    ("exclusive", "Exclusive", "Toggle", 0, "--exclusive"),
    ("nodelist", "Nodes", "String", "", "--nodelist"),
    ("exclude", "Exclude Nodes", "String", "", "--exclude"),
    ("mailtype", "Mail Type", "String", "", "--mail-type"),
    ("mailuser", "Mail User", "String", "", "--mail-user"),
    ("export", "Export", "String", "", "--export"),
    ("requeue", "Requeue", "Toggle", 1, ""),
    ("simultaneous", "Simultaneous Tasks", "Integer", 0, ""),
    ("extraargs", "Extra Arguments", "String", "", ""),
)
_ROWS = tuple(row[:4] for row in _JOB)
#: What is read of an item's job parms, with what stands when nobody gave it.
JOB_PARMS = parm_defaults(_ROWS)
#: Options that say what is run, or how we hear of it: another one of these and nothing would work.
_OURS = (
    "--array", "--wrap", "--parsable", "--quiet", "--wait", "--test-only", "--comment",
    "--help", "--usage", "--version",
)  # fmt: skip
_OURS_SHORT = ("-a", "-Q", "-W", "-h", "-u", "-V")
#: Jobs of another cluster would be taken for lost, since squeue is asked of ours.
_ELSEWHERE = ("--clusters", "-M")
#: Short options without a value: sbatch takes others in the same word.
_FLAGS = "HIkOsv"


class BadOptionError(ValueError):
    """A parm has a value that cannot be passed on."""


def template_parms() -> list[dict[str, Any]]:
    """The parms as ``templateBody`` lists them."""
    return parm_template(PREFIX, _OWN, _ROWS)


def options(values: Mapping[str, Any]) -> list[str]:
    """The words for ``sbatch``; raises ``BadOptionError`` for what would be no option or not the parm's.

    Each is one word ``--name=value``, so that no value is ever taken for an option, and no shell reads it.
    """
    words = []
    for name, _, kind, _, option in _JOB:
        value = _plain(name, values[name]) if kind == "String" else values[name]
        if option and value:
            words.append(option if kind == "Toggle" else f"{option}={value}")
    words.append("--requeue" if values["requeue"] else "--no-requeue")
    return [*words, *_extra(_plain("extraargs", values["extraargs"]))]


def _plain(name: str, value: Any) -> str:
    text = str(value).strip()
    if any(ord(char) < ord(" ") for char in text):
        raise BadOptionError(f"{PREFIX}_{name} has a line break or a control character in it: {text!r}")
    return text


def _extra(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BadOptionError(f"{PREFIX}_extraargs cannot be read: {error}: {text!r}") from None
    return [each for word in words for each in _apart(word)]


def _apart(word: str) -> list[str]:
    """One word of the extra arguments, as one for each option; raises ``BadOptionError``."""
    if not word.startswith("-") or word in {"-", "--"}:
        raise BadOptionError(
            f'{PREFIX}_extraargs: "{word}" is no option, and sbatch would take it for a script\n'
            f"    write values as --name=value"
        )
    last = word if word.startswith("--") else f"-{word[1:].lstrip(_FLAGS)}"
    flags = [f"-{flag}" for flag in word[1 : len(word) - len(last) + 1]]
    if _is(last, _OURS, _OURS_SHORT):
        raise BadOptionError(f'{PREFIX}_extraargs: "{word}" is set by the scheduler itself')
    if _is(last, _ELSEWHERE[:1], _ELSEWHERE[1:]):
        raise BadOptionError(
            f'{PREFIX}_extraargs: "{word}" names another cluster, whose jobs nobody would ask for here\n'
            f"    {PREFIX}_conf names the configuration file of the cluster that a scheduler is for"
        )
    return [*flags, *([] if last == "-" else [last])]


def _is(word: str, long: tuple[str, ...], short: tuple[str, ...]) -> bool:
    # sbatch takes any beginning of a long option for the whole.
    name = word.partition("=")[0]
    return word.startswith(short) or (name.startswith("--") and any(each.startswith(name) for each in long))
