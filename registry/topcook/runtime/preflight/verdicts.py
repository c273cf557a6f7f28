"""What the findings of a preflight mean, and for each that is bad the one thing to do."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from topcook.factory.diagnosis import BAD, GOOD, NOTE, ODD, Finding
from topcook.model.states import WorkItemState

if TYPE_CHECKING:
    from topcook.runtime.preflight.trial import Tried

__all__ = ["findings_of", "unheard"]

#: A clock may differ by so many seconds, and a file come so late, before it is worth telling.
SKEW, LATE = 2.0, 2.0
#: So many of a scheduler's warnings are shown.
_SAID = 3
#: What a shell says of a command that it cannot start.
_NOT_STARTED = (126, 127)
_PYTHON_NO_FILE = 2


def unheard(tried: Tried) -> list[Finding]:
    """The job told nothing: why, as far as can be seen from here."""
    host, item = tried.host, tried.item
    if tried.stuck:
        said = dict.fromkeys(tried.said[-_SAID:])
        return [
            Finding(
                "job",
                BAD,
                f"nothing was heard {tried.stuck}",
                f"look at the queue of {host.type_name}, or give it longer: topcook preflight --timeout SECONDS",
            ),
            *(
                Finding("job", NOTE, f"{host.name} says: {'; '.join(map(str.strip, each.splitlines()))}")
                for each in said
            ),
        ]
    run = item.run if item is not None else None
    status = run.exit_status if run is not None else None
    reasons = "; ".join(text.partition("\n")[0] for text in (run.messages if run is not None else ()))
    # Where its cook has not even begun, the last message is the core's, that the scheduler said no.
    last = (*tried.messages[-1:], *tried.errors[:1])[-1:]
    told = reasons or (last[0].partition("\n")[0] if last else "nothing was told")
    if status in _NOT_STARTED:
        hint = f"set PDG_PYTHON for the cook to a Python that is there, or let {host.name}'s applicationBin name it"
        return [Finding("python", BAD, f"__PDG_PYTHON__ does not start there: {told}", hint)]
    if status == _PYTHON_NO_FILE:
        where = host.directories.script_dir(local=False)
        return [Finding("shared", BAD, f"what is written here is not seen there: {where}", _shared_hint(tried))]
    state = item.state.name if item is not None else "not there"
    hint = (
        f"its log: {tried.log}\n{tried.log_tail}"
        if tried.log_tail
        else f"mend that in the parms of {host.name}, or in its engine"
    )
    became = "was not begun" if item is not None and item.state is WorkItemState.Uncooked else f"is {state}"
    return [Finding("job", BAD, f"the job {became}: {told}", hint.strip())]


def findings_of(tried: Tried) -> list[Finding]:
    """Each thing that was looked at, in the order in which a cook needs them."""
    found = tried.found or {}
    return [*_job(found), *_shared(tried, found), *_maps(found), *_programs(tried, found), *_rest(tried, found)]


def _job(found: dict[str, Any]) -> Iterator[Finding]:
    yield Finding("job", GOOD, f"ran on {found['host']}, in {found['working']}")
    yield Finding("python", GOOD, f"{found['python']}, {found['version']}")


def _shared(tried: Tried, found: dict[str, Any]) -> Iterator[Finding]:
    hint = _shared_hint(tried)
    if found["data"]:
        yield Finding("shared", BAD, f"what is written here cannot be read there: {found['data']}", hint)
    else:
        yield Finding("shared", GOOD, "what is written here is read there")
    if found["wrote"]:
        yield Finding("shared", BAD, f"nothing can be written there: {found['wrote']}", hint)
    elif tried.seen_after is None:
        yield Finding("shared", BAD, "what is written there is not seen here", hint)
    elif tried.seen_after > LATE:
        late = f"what is written there is seen here after {tried.seen_after:.1f} s"
        yield Finding("shared", ODD, late, "mount it with a shorter attribute cache (actimeo), or expect late outputs")
    else:
        yield Finding("shared", GOOD, "what is written there is seen here at once")


def _shared_hint(tried: Tried) -> str:
    directories = tried.host.directories
    here, there = directories.working_dir(local=True), directories.working_dir(local=False)
    name = tried.host.name
    if here == there:
        return f"put the working directory where both machines see it under one name: --parm {name}.pdg_workingdir=DIR"
    return f'"{here}" here has to be "{there}" there: correct the remote path of {name}, or a path map'


def _maps(found: dict[str, Any]) -> Iterator[Finding]:
    for row in found["maps"]:
        told = f"{row['from']} -> {row['to']}"
        if row["there"]:
            yield Finding("path map", GOOD, told)
        else:
            yield Finding(
                "path map", BAD, f"{told}, which is not there", f"mount {row['to']} there, or correct the rule"
            )
    if not found["maps"]:
        yield Finding("path map", NOTE, "no rule holds there: paths are the same")


def _programs(tried: Tried, found: dict[str, Any]) -> Iterator[Finding]:
    for program, why in found["programs"].items():
        if why:
            hint = f"set PDG_HYTHON for the cook, or let {tried.host.name}'s applicationBin name the farm's"
            yield Finding("hython", BAD, f"{program} does not run there: {why}", hint)
        else:
            yield Finding("hython", GOOD, f"{program} runs")


def _rest(tried: Tried, found: dict[str, Any]) -> Iterator[Finding]:
    name = tried.host.name
    why = found.get("server", "")
    if why:
        hint = f"--parm {name}.topcook_serverbind=0.0.0.0, and the name of this host: {name}.topcook_serveraddress"
        yield Finding("result server", BAD, f"not reached from there: {why}", hint)
    else:
        yield Finding("result server", GOOD, "a report from there was recorded here")
    # The job looked at its clock between these two readings of ours.
    skew = max(tried.before - found["time"], found["time"] - tried.after, 0.0)
    if skew > SKEW:
        yield Finding(
            "clock", ODD, f"the clocks differ by {skew:.0f} s or more", f"set the clock of {found['host']} (NTP)"
        )
    else:
        yield Finding("clock", GOOD, "the clocks agree")
    yield from _user(found, name)


def _user(found: dict[str, Any], name: str) -> Iterator[Finding]:
    uid = os.getuid() if hasattr(os, "getuid") else None
    umask = f"umask {found['umask']:03o}"
    if uid is None or found["uid"] in {None, uid}:
        yield Finding("user", GOOD, f"{found['user'] or found['uid']}, {umask}")
        return
    told = f"jobs run as {found['user'] or found['uid']}, this cook as {getpass.getuser()}; {umask}"
    if found["umask"] & 0o020:
        hint = "give jobs a umask of 002 and both users a group, so that each may change what the other writes"
        yield Finding("user", ODD, told, hint)
    else:
        yield Finding("user", GOOD, f"{told}; secrets are read by --parm {name}.topcook_secretmode=640")
