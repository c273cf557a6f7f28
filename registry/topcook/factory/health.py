"""The state of the installation: Python, Topcook, configuration, the types path, the index, and what was found."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from topcook import __version__
from topcook.errors import ForeignPdgError
from topcook.factory.diagnosis import BAD, GOOD, NOTE, ODD, Diagnosis, Finding, python_told
from topcook.factory.foreign import check_pdg_is_ours
from topcook.factory.records import NEEDS_HOUDINI, Record, State, Tier
from topcook.factory.whereabouts import installed_elsewhere
from topcook.model.cells import printable

if TYPE_CHECKING:
    from topcook.config import Config
    from topcook.errors import Problem
    from topcook.factory.diagnosis import Scene
    from topcook.factory.index import Index

__all__ = ["health_of", "index_findings", "pdg_finding"]

#: Variables that decide which types there are, and which Python and which Houdini are meant.
_VARIABLES = re.compile(
    r"(?:PDG|TOPCOOK|HOUDINI)_\w+|HFS|PYTHONPATH|PYTHONHOME|PYTHONDONTWRITEBYTECODE|VIRTUAL_ENV|CONDA_PREFIX|NO_COLOR"
)
_SECRET = re.compile(r"SECRET|TOKEN|PASSW|KEY|CREDENTIAL", re.IGNORECASE)
_BROKEN = frozenset({State.FAILED, State.INVALID})
#: How many broken types are told one by one.
_MOST = 10


def health_of(scene: Scene, config: Config, *, looked: bool = True) -> Diagnosis:
    """The report; ``looked`` is False where no types file may be executed, because ``pdg`` is not ours."""
    environ = scene.environ
    found = [*_python(environ), _topcook(), *_other_topcook(environ), pdg_finding(), *_environment(environ)]
    found += [*_configuration(config), *_types_path(scene, config)]
    found += [*_distributions(scene), *scene.index, *_types(scene)] if looked else []
    report = Diagnosis("this installation", "", found, "nothing to mend; topcook list")
    report.verdict = "healthy" if report.healthy else "has problems"
    return report


def _python(environ: Mapping[str, str]) -> Iterator[Finding]:
    yield Finding("python", GOOD, python_told())
    active = environ.get("VIRTUAL_ENV", "")
    if active and os.path.realpath(active) != os.path.realpath(sys.prefix):
        text = f"the active environment is {active}, but this Topcook runs in {sys.prefix} and sees its plugins only"
        yield Finding("python", ODD, printable(text), f"{os.path.join(active, 'bin', 'python')} -m pip install topcook")


def _topcook() -> Finding:
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return Finding("topcook", GOOD, printable(f"{__version__}, in {home}"))


def _other_topcook(environ: Mapping[str, str]) -> Iterator[Finding]:
    """A ``topcook`` on PATH that is another Python's."""
    found = shutil.which("topcook", path=environ.get("PATH", ""))
    if found is None or not sys.executable:
        return
    folders = {os.path.dirname(found), os.path.dirname(os.path.realpath(found))}
    ours = {os.path.dirname(sys.executable), os.path.join(sys.prefix, "bin"), os.path.join(sys.prefix, "Scripts")}
    if not {os.path.realpath(each) for each in folders} & {os.path.realpath(each) for each in ours}:
        text = f"typing topcook starts another one: {found}"
        yield Finding("topcook", ODD, printable(text), f"{sys.executable} -m topcook doctor")


def pdg_finding() -> Finding:
    """Whether ``import pdg`` means Topcook's own package."""
    try:
        check_pdg_is_ours()
    except ForeignPdgError as error:
        first, *rest = str(error).splitlines()
        text = "; ".join([first, *(line.strip() for line in rest[:-1])])
        return Finding("pdg", BAD, printable(text), printable(rest[-1].strip()) if rest else "")
    return Finding("pdg", GOOD, "import pdg finds Topcook's own, unchanged")


def _environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    names = sorted(name for name in environ if _VARIABLES.fullmatch(name))
    for name in names:
        value = "(set, not shown)" if _SECRET.search(name) else environ[name]
        yield Finding("environment", NOTE, printable(f"{name}={value}"))
    if not names:
        yield Finding("environment", NOTE, "no variable of PDG, Topcook or Houdini is set")


def _configuration(config: Config) -> Iterator[Finding]:
    for file in config.files:
        if file.exists:
            yield Finding("configuration", GOOD, printable(f"{file.path} ({file.layer.word})"))
    if not any(file.exists for file in config.files):
        yield Finding("configuration", NOTE, "no configuration file; topcook config --files says where one may be")
    mistakes = set(config.mistakes)
    for problem in config.problems:
        text = f"{problem.place}: {problem.message}" if problem.path else problem.message
        yield Finding(
            "configuration", BAD if problem in mistakes else ODD, printable(text), printable(problem.hint or "")
        )


def _types_path(scene: Scene, config: Config) -> Iterator[Finding]:
    counts = Counter(record.origin.root for record in scene.records if record.state is not State.SKIPPED)
    told = {(problem.path, problem.code): problem for problem in scene.problems if problem.code.startswith("path-")}
    for entry in scene.entries:
        facts = [f"{entry.path} ({entry.named_by})"]
        problem = next((each for (path, _), each in told.items() if path == entry.path), None)
        if not os.path.exists(entry.path):
            state = ODD if entry.expected else NOTE
            hint = (problem.hint if problem is not None else None) or ""
            yield Finding("types path", state, printable(", ".join([*facts, "does not exist"])), printable(hint))
            continue
        facts += [each for each in (scene.file_systems.get(entry.path, ""), scene.watched.get(entry.path, "")) if each]
        facts.append(_counted(counts[entry.path], "type"))
        if problem is not None:
            yield Finding(
                "types path", BAD, printable(", ".join([*facts, problem.message])), printable(problem.hint or "")
            )
        else:
            yield Finding("types path", GOOD, printable(", ".join(facts)))
    yield Finding(
        "types path", GOOD, printable(f"{scene.builtins} (built-in), {_counted(counts[scene.builtins], 'type')}")
    )
    others = [each for each in scene.problems if not each.code.startswith("path-") and each not in config.problems]
    yield from (_finding("types path", ODD, each) for each in others)


def _finding(topic: str, state: str, problem: Problem) -> Finding:
    place = printable(problem.place) if problem.path else ""
    return Finding(topic, state, printable(problem.message), printable(problem.hint or ""), place)


def index_findings(index: Index | None) -> list[Finding]:
    """Where the index is, how much is in it, and why it could not be used."""
    if index is None:
        return [
            Finding("index", NOTE, "none is kept: every start executes all types files anew", "unset TOPCOOK_INDEX")
        ]
    from topcook.factory.index.database import described

    numbers = described(index.database)
    try:
        size = f"{os.path.getsize(index.database.path) / 1e6:.1f} MB"
    except OSError:
        size = "not there yet"
    kept = f"{_counted(numbers['candidate'], 'file')} in {_counted(numbers['environment'], 'environment')}"
    text = f"{index.database.path}, {size}: {kept}"
    return [Finding("index", GOOD, printable(text)), *(Finding("index", ODD, printable(each)) for each in index.notes)]


def _distributions(scene: Scene) -> Iterator[Finding]:
    names: dict[str, list[Record]] = {}
    for record in scene.records:
        if record.origin.tier is Tier.ENTRY_POINT:
            names.setdefault(f"{record.origin.distribution} {record.origin.version}".strip(), []).append(record)
    for name, records in names.items():
        listed = ", ".join(record.name for record in records)
        yield Finding("distribution", GOOD, printable(f"{name}: {listed}"))
    if not names:
        yield Finding("distribution", NOTE, "no installed distribution offers types (entry points of group pdg.types)")
    for prefix in dict.fromkeys(each.prefix for each in installed_elsewhere(scene.environ)):
        offered = [each for each in installed_elsewhere(scene.environ) if each.prefix == prefix]
        listed = ", ".join(dict.fromkeys(f"{each.distribution} {each.version}" for each in offered))
        yield Finding(
            "distribution",
            NOTE,
            printable(f"another Python has some, and this one cannot see them: {prefix}: {listed}"),
        )


def _types(scene: Scene) -> Iterator[Finding]:
    counts = Counter(record.state for record in scene.records)
    yield Finding("types", GOOD, ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state]))
    broken = [record for record in scene.records if record.state in _BROKEN]
    for record in broken[:_MOST]:
        state = ODD if record.reason == NEEDS_HOUDINI else BAD
        place = printable(record.problems[0].place if record.problems else record.place)
        text = printable(f"{record.name}: {record.why_not()}")
        yield Finding("types", state, text, f"topcook doctor {printable(record.name)}", place)
    if len(broken) > _MOST:
        yield Finding("types", BAD, f"and {len(broken) - _MOST} more that cannot be used", "topcook list")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
