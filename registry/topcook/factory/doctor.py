"""Diagnosing what is asked for: the chain of its records, and for what has none, why nobody came to see it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from topcook.factory.diagnosis import BAD, GOOD, NOTE, ODD, Diagnosis, Finding, Scene, chain_of, file_facts, python_told
from topcook.factory.menu import row_of
from topcook.factory.names import close_names, known, state_told
from topcook.factory.records import Kind, Record, State, Tier
from topcook.factory.whereabouts import installed_elsewhere
from topcook.model.cells import printable

__all__ = ["diagnose"]

_KINDS = (Kind.SCHEDULER, Kind.NODE)
#: Names that a scan passes over: hidden, private, a copy that an editor keeps.
_PASSED_OVER = (".", "__", "~")


def diagnose(asked: str, scene: Scene) -> Diagnosis:
    """Why ``asked``, a name or a path, is or is not in the menu."""
    named = [record for kind in _KINDS for record in known(kind, asked, scene.records)]
    named = list(dict.fromkeys(named)) or [each for each in scene.records if _stem(each) == asked.lower()]
    if named and not _is_path(asked):
        return _of_records(asked, named, scene)
    path = os.path.abspath(os.path.expanduser(asked))
    found = matching(scene.records, path)
    if found:
        return _of_records(asked, found, scene)
    python = Finding("python", NOTE, python_told())
    if not _is_path(asked) and not os.path.lexists(path):
        return Diagnosis(printable(asked), "not in the menu", [python, *_name(asked, scene)])
    report = Diagnosis(printable(asked), "not in the menu", [python, *_path(path, scene)])
    if os.path.isdir(path):
        on_path = any(each.topic == "types path" and each.state == GOOD for each in report.findings)
        report.verdict = f"{'on' if on_path else 'not on'} the types path"
        report.otherwise = "nothing to mend; topcook list"
    return report


def _stem(record: Record) -> str:
    """What a person may call the file a record came from."""
    if record.origin.tier is Tier.ENTRY_POINT:
        return record.origin.distribution.lower()
    path = record.origin.path.removesuffix(f"{os.sep}__init__.py")
    return os.path.splitext(os.path.basename(path))[0].lower()


def matching(records: Iterable[Record], path: str) -> list[Record]:
    """The records of the file that ``path`` is, itself or through links; a package's directory stands for it."""
    wanted = {path, os.path.realpath(path)}
    wanted |= {os.path.join(each, "__init__.py") for each in wanted}
    files = [record for record in records if record.origin.tier is not Tier.ENTRY_POINT]
    return [each for each in files if each.origin.path in wanted or os.path.realpath(each.origin.path) in wanted]


def _is_path(asked: str) -> bool:
    return asked.endswith(".py") or os.sep in asked or (os.altsep is not None and os.altsep in asked)


def _of_records(asked: str, records: list[Record], scene: Scene) -> Diagnosis:
    """The chain of the record that counts, and what there is besides."""
    first = next((each for each in records if each.usable), records[0])
    verdict = "in the menu" if first.state is State.OK else f"not in the menu: {first.state.value}"
    found = Diagnosis(printable(asked), verdict, list(chain_of(first, scene)))
    for record in records:
        if record is not first and record not in first.shadows:
            text = f"{row_of(record).name} ({state_told(record)}): {printable(record.place)}"
            hint = "" if record.state is State.SKIPPED else f"topcook doctor {printable(record.origin.path)}"
            found.findings.append(Finding("also", NOTE if not hint else ODD, text, hint))
    kind = "--scheduler" if first.kind is Kind.SCHEDULER else "a node of type"
    found.otherwise = f"nothing to mend; topcook cook NETWORK {kind} {printable(first.name)}"
    if first.kind is not Kind.SCHEDULER:
        found.otherwise = f'nothing to mend; in a network: type = "{printable(first.name)}"'
    return found


# A path that has no record


def _path(path: str, scene: Scene) -> Iterator[Finding]:
    if not os.path.lexists(path):
        yield Finding("file", BAD, f"{printable(path)} does not exist", _near(path))
        return
    facts = list(file_facts(path))
    yield from facts
    if any(each.state == BAD for each in facts):
        return
    if os.path.isdir(path):
        yield from _directory(path, scene)
    else:
        yield from _file(path, scene)


def _near(path: str) -> str:
    import difflib

    folder = os.path.dirname(path)
    try:
        names = os.listdir(folder)
    except OSError:
        return f"there is no directory {printable(folder)} either"
    close = difflib.get_close_matches(os.path.basename(path), names, 1)
    return f"did you mean {printable(os.path.join(folder, close[0]))}?" if close else f"ls {printable(folder)}"


def _directory(path: str, scene: Scene) -> Iterator[Finding]:
    place = os.path.realpath(path)
    for number, entry in enumerate(scene.entries, 1):
        if os.path.realpath(entry.path) == place:
            told = f"{entry.named_by} names it, entry {number} of {len(scene.entries)}"
            more = [scene.file_systems.get(entry.path, ""), scene.watched.get(entry.path, "")]
            yield Finding("types path", GOOD, printable(", ".join([told, *filter(None, more)])))
            yield from _inside(path, [each for each in scene.records if each.origin.root == entry.path])
            return
    inside = [each for each in scene.records if _below(os.path.realpath(each.origin.path), place)]
    if inside:
        yield Finding("types path", GOOD, "it lies in an entry of the types path")
        yield from _inside(path, inside)
        return
    yield _not_on_path(path)


def _inside(path: str, records: list[Record]) -> Iterator[Finding]:
    if not records:
        yield Finding("files", BAD, "there is no Python file in it", f"topcook new myfarm --dir {path}")
    for record in records:
        row = row_of(record)
        states = {State.OK: GOOD, State.SKIPPED: NOTE, State.SHADOWED: NOTE, State.NOT_PROBED: ODD}
        state = states.get(record.state, BAD)
        inner = printable(os.path.relpath(record.origin.path, path))
        hint = "" if state in {GOOD, NOTE} else f"topcook doctor {printable(record.origin.path)}"
        yield Finding("file", state, f"{inner}: {row.name}, {record.state.value}", hint)


def _file(path: str, scene: Scene) -> Iterator[Finding]:
    name = os.path.basename(path)
    if not name.endswith(".py"):
        yield Finding("file", BAD, "it is no Python file: its name does not end in .py", f"mv {path} {path}.py")
        return
    if name.startswith(_PASSED_OVER):
        yield Finding("file", BAD, f'names that begin with "{name[0]}" are passed over', "give it another name")
        return
    package = next((each for each in _parents(path) if matching(scene.records, each)), "")
    if package:
        text = f"it is part of the package {package}, whose __init__.py is what is listed"
        yield Finding("types path", NOTE, printable(text), f"topcook doctor {printable(package)}")
        for record in matching(scene.records, package):
            yield from list(chain_of(record, scene))[1:]
        return
    for entry in scene.entries:
        if _below(os.path.realpath(path), os.path.realpath(entry.path)):
            depth = os.path.relpath(os.path.realpath(path), os.path.realpath(entry.path)).count(os.sep)
            text = f"it lies {depth} directories below {entry.path}; only one level is looked into"
            hint = f"mv {path} {entry.path}" if depth > 1 else "topcook list --all"
            yield Finding("types path", BAD, printable(text), printable(hint))
            return
    yield _not_on_path(os.path.dirname(path), path)
    yield from _on_its_own(path, scene)


def _parents(path: str) -> Iterator[str]:
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        yield folder
        folder = os.path.dirname(folder)


def _below(path: str, directory: str) -> bool:
    return path.startswith(os.path.join(directory, ""))


def _not_on_path(directory: str, path: str = "") -> Finding:
    install = f", or: topcook install {printable(path)}" if path else ""
    what = "its directory is not" if path else "it is not"
    hint = f"export PDG_TYPES_PATH={printable(directory)}{os.pathsep}$PDG_TYPES_PATH{install}"
    return Finding("types path", BAD, f"{what} on the types path: nobody looks there", hint)


def _on_its_own(path: str, scene: Scene) -> Iterator[Finding]:
    """What would become of a file if it were on the types path."""
    for record in scene.examine(path):
        if record.usable:
            yield Finding("execution", GOOD, f'it would give "{printable(record.name)}", in {row_of(record).category}')
            continue
        place = record.problems[0].place if record.problems else record.place
        text = f"it could not be used there either: {printable(record.why_not())}"
        yield Finding("execution", BAD, text, f"topcook check {printable(path)}", printable(place))


# A name that has no record


def _name(asked: str, scene: Scene) -> Iterator[Finding]:
    text = f'no types file, installed distribution or built-in type answers to "{printable(asked)}"'
    close = list(dict.fromkeys(each for kind in _KINDS for each in close_names(kind, asked, scene.records)))
    lying = os.path.abspath(f"{asked}.py")
    elsewhere = [each for each in installed_elsewhere(scene.environ) if asked.lower() in _callings(*each[:2])]
    hint = f"did you mean {', or '.join(close)}?" if close else "topcook list --all"
    if elsewhere:
        hint = f"{sys.executable} -m pip install {elsewhere[0].distribution}"
    elif os.path.isfile(lying):
        hint = f"topcook doctor {printable(lying)}"
    yield Finding("name", BAD, text, hint)
    for each in elsewhere:
        offered = f"{each.distribution} {each.version} offers it in another Python"
        told = f"{offered}, {each.prefix}; Topcook runs in {sys.prefix}"
        yield Finding("python", BAD, printable(told), f"{sys.executable} -m pip install {each.distribution}")
    if os.path.isfile(lying):
        yield Finding("file", ODD, f"{printable(lying)} is not on the types path", f"topcook doctor {printable(lying)}")
    yield from _distribution(asked)
    for entry in scene.entries:
        missing = "" if os.path.exists(entry.path) else ", which does not exist"
        yield Finding("looked in", NOTE, printable(f"{entry.path} ({entry.named_by}){missing}"))
    yield Finding("looked in", NOTE, "installed distributions: entry points of group pdg.types")
    yield Finding("looked in", NOTE, printable(f"{scene.builtins} (built-in)"))


def _callings(name: str, distribution: str) -> set[str]:
    plain = name.lower()
    return {plain, plain.removesuffix("scheduler"), f"{plain}scheduler", distribution.lower()}


def _distribution(asked: str) -> Iterator[Finding]:
    """A distribution of that name which offers no types."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution(asked)
        offers = [each.name for each in found.entry_points if each.group == "pdg.types"]
    except (PackageNotFoundError, ValueError, OSError):
        return
    text = f"the distribution {asked} {found.version} is installed"
    if offers:
        yield Finding("distribution", NOTE, f"{text} and offers {', '.join(offers)}", f"topcook doctor {offers[0]}")
    else:
        hint = 'its pyproject.toml needs: [project.entry-points."pdg.types"]'
        yield Finding("distribution", ODD, f"{text}, and offers no entry point of group pdg.types", hint)
