"""A whole network as one job: what it names goes into the working directory, then ``submitAsJob`` is called."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topcook.contract.env import expand_vars
from topcook.contract.secrets import redact
from topcook.errors import CallbackError, CookError, CookRefusedError
from topcook.factory import Kind
from topcook.model.directories import Directories
from topcook.runtime.filedependencies import FileDependencies
from topcook.runtime.surroundings import home
from topcook.runtime.tokens import new_cook_id

if TYPE_CHECKING:
    from topcook.model.node import Network
    from topcook.runtime.api import GraphContext
    from topcook.runtime.host import Host

#: What stands between the words of a command; no shell's rules, since a word too many names no file.
_BETWEEN = re.compile(r"""[\s"';|<>()&,]+|=(?=[$/_])""")
#: From here on a word is put together for each item.
_DYNAMIC = re.compile(r"[@`]|\$(?!HIP|\{HIP)")
_GLOB = re.compile(r"[*?\[]")
#: Parms that say where things go: nothing there is needed beforehand.
_PLACES = re.compile(r"pdg_workingdir|localsharedroot|remotesharedroot|tempdircustom|path\d+")
#: An item graph larger than this is brought, but not searched for further names.
_SEARCHED = 16 * 1024 * 1024


def submit(
    context: GraphContext, network_file: str, scheduler: str, node: str, warn: Callable[[str], None]
) -> tuple[str, str]:
    """Have a scheduler cook the network as one job; its status URI and its id there, either may be empty.

    ``warn`` is told of what is not as it was asked for. Raises ``CookRefusedError`` when the scheduler does not support
    it, or a file cannot be brought.
    """
    graph = context.core
    if node and node not in graph.network.nodes:
        raise CookRefusedError(f'there is no node "{node}"\n    there are: {", ".join(graph.network.nodes)}')
    host = graph.host(graph.instance_name(scheduler))
    files = [network_file, *named_files(context)]
    path = f"/{graph.network.name}/{node}" if node else f"/{graph.network.name}"
    with home(graph.network):
        host.open()
        uri, job = host.outside_a_cook(lambda call: _submit(host, call, files, path))
    if graph.choice.profile and not host.options_asked:
        warn(
            f'scheduler "{host.name}" was given the job, and cooks it without the profile "{graph.choice.profile}": '
            f"its submitAsJob does not ask for it\n    build its command by topcook.author.cook_command"
        )
    return uri, job


def _submit(host: Host, call: Callable[..., Any], files: list[str], node_path: str) -> tuple[str, str]:
    """On the host's thread."""
    if not callable(getattr(host.instance, "submitAsJob", None)):
        raise _unsupported(host, f"its type {host.type_name} has no submitAsJob")
    host.settle_working_dir()
    mine = host.directories
    # A temp directory of its own, as each cook has.
    host.directories = Directories(mine.working, mine.temp, mine.script, f"submit-{new_cook_id()}")
    host.prepare_directories()
    brought = FileDependencies(host.node, host.graph, host.cls)
    problems = [f"{path}: {why}" for path in files if (why := brought.bring(path, call))]
    if problems:
        lines = "\n    ".join(problems)
        raise CookRefusedError(f'scheduler "{host.name}" could not bring what the network needs\n    {lines}')
    try:
        uri, job = call("submitAsJob", os.path.basename(files[0]), node_path)
    except CallbackError as error:
        if isinstance(error.__cause__, NotImplementedError):
            raise _unsupported(host, str(error.__cause__).partition("\n")[0]) from error
        if isinstance(error.__cause__, CookError):
            said = "\n    ".join(redact(str(error.__cause__)).splitlines())
            raise CookRefusedError(f'scheduler "{host.name}" could not submit the network: {said}') from error
        raise
    if not uri and not job:
        raise _unsupported(host, "its submitAsJob returned nothing")
    return uri, job


def _unsupported(host: Host, reason: str) -> CookRefusedError:
    return CookRefusedError(
        f'scheduler "{host.name}" cannot take a whole network as one job: {reason}\n'
        "    localscheduler can; or cook it from here: topcook cook NETWORK"
    )


def named_files(context: GraphContext) -> list[str]:
    """What a network names below ``$HIP``: file dependencies, files in parms and commands, modules beside scripts.

    Also the files of the scheduler and node types that it uses, where they lie there.
    """
    network = context.core.network
    texts = [text for owner in _owners(network) for text in _texts(owner)]
    found = dict.fromkeys([*network.files, *(file for node in network.nodes.values() for file in node.files)])
    for text in texts:
        found.update(dict.fromkeys(_named_in(text, context.core.environment())))
    for path in list(found):
        found.update(dict.fromkeys(_named_by(path, context.core.environment())))
    found.update(dict.fromkeys(_type_files(context)))
    return list(found)


def _owners(network: Network) -> Iterator[Mapping[str, Any]]:
    for parms in (
        *(node.parms for node in network.nodes.values()),
        *(each.parms for each in network.schedulers.values()),
    ):
        yield {parm.name: parm.values for parm in parms if not _PLACES.fullmatch(parm.name)}
    for node in network.nodes.values():
        yield node.job_parms


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)


def _named_in(text: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The files and directories below ``$HIP`` that a text names, whole or in a word."""
    hip = os.path.normpath(environment["HIP"])
    for word in dict.fromkeys([text, *_BETWEEN.split(text)]):
        named = "HIP" in word or word.startswith(hip)
        dynamic = _DYNAMIC.search(word)
        start = word[: dynamic.start()].rpartition("/")[0] if dynamic else word
        if not start or "\0" in start or len(start) > 4096 or "__PDG_" in start:  # noqa: PLR2004 - no path is longer
            continue
        path = os.path.normpath(os.path.join(hip, expand_vars(start, environment)))
        if not path.startswith(os.path.join(hip, "")):
            continue
        if named and _GLOB.search(path):
            yield from sorted(glob.glob(path))
        elif os.path.isfile(path) and (named or not dynamic):
            yield path
        elif named and os.path.isdir(path):
            # A word that happens to be a directory's name is none; one that says $HIP means it.
            yield path


def _named_by(path: str, environment: Mapping[str, str]) -> Iterator[str]:
    """What a file that is brought needs itself: a script the modules beside it, an item graph what it names."""
    full = Path(os.path.join(environment["HIP"], expand_vars(path, environment)))
    if full.suffix == ".py":
        yield from sorted(str(beside) for beside in full.parent.glob("*.py"))
    elif full.suffix in {".json", ".jsonl"} and full.is_file() and full.stat().st_size <= _SEARCHED:
        text = full.read_text(encoding="utf-8", errors="replace").replace('\\"', " ")
        yield from (name for word in text.split() if "HIP" in word for name in _named_in(word, environment))


def _type_files(context: GraphContext) -> Iterable[str]:
    network, factory = context.core.network, context.core.factory
    used = [(Kind.NODE, node.type_name) for node in network.nodes.values()]
    used += [(Kind.SCHEDULER, each.type_name) for each in network.schedulers.values()]
    for kind, name in used:
        record = factory.find(kind, name)
        origin = record.origin if record is not None else None
        # A distribution is installed where the job runs; its path is that of a module.
        path = origin.path if origin is not None and not origin.distribution else ""
        if path and os.path.realpath(path).startswith(os.path.join(os.path.realpath(network.hip), "")):
            yield path
