"""Execute a candidate in this process and report what it registers.

The one door through which types code is first executed. What comes out is a report, whatever happens inside.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.machinery import ModuleSpec

from topcook.contract.source import Place, function_of, place_of_function
from topcook.errors import Problem
from topcook.factory.bundles import Bundle, read_bundle
from topcook.factory.describe import describe
from topcook.factory.hooks import Hook, TypesHook, entry_point_hook, hook_of
from topcook.factory.imports import execute, forget, private_name
from topcook.factory.places import called_at
from topcook.factory.probing.guess import guessed
from topcook.factory.probing.surroundings import Surroundings, kept_surroundings
from topcook.factory.probing.traits import TRAITS, Trait, trait_problem
from topcook.factory.records import NEEDS_HOUDINI, Kind, Record, State, Tier
from topcook.factory.sources import HOOK, Candidate, classified, why_skipped
from topcook.factory.trust import UntrustedFileError
from topcook.factory.typeregistry import Registration, TypeRegistry
from topcook.factory.wire import ProbeReport, files_of, record_data

__all__ = ["examine", "plugin_name"]


def examine(
    candidate: Candidate, registry: TypeRegistry, hook: TypesHook, *, through: tuple[type[BaseException], ...] = ()
) -> ProbeReport:
    """The report on a candidate: a record for each type, or one that says why there is none.

    Whatever its code raises, SystemExit included, becomes a problem; only what is in ``through`` goes through.
    """
    if classified(candidate).settled:
        return _report([candidate.record()])
    run = _Run(candidate)
    started = time.perf_counter()
    try:
        records = _records(run, registry, hook)
    except through:
        raise
    except BaseException as raised:  # noqa: BLE001 - author code may raise anything; its record says what
        error = _cause(raised, run)
        records = [_failed(run, _problems(error, candidate))]
        run.transient = _hangs_on_the_moment(error)
        if run.module:
            forget(run.module)
    if run.surroundings.moved:
        records[0].problems.append(trait_problem("changes-directory", candidate, run.content))
    milliseconds = (time.perf_counter() - started) * 1000
    for record in records:
        record.import_ms = milliseconds
        record.content_hash = record.content_hash or run.digest
    report = _report(records)
    report.files = files_of(run.bundle) if run.bundle is not None else []
    report.missing, report.transient = run.missing, run.transient
    return report


def _report(records: list[Record]) -> ProbeReport:
    return ProbeReport([record_data(record) for record in records], live=records)


class _Unfound:
    """The last on ``sys.meta_path``: it hears of each module that nobody else found."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Remember a top-level name; find nothing."""
        del path, target
        if "." not in name:
            self.names[name] = None
        return None


@dataclass(slots=True)
class _Run:
    """One execution of a candidate, as far as it came."""

    candidate: Candidate
    content: bytes = b""
    digest: str = ""
    module: str = ""
    bundle: Bundle | None = None
    missing: tuple[str, ...] = ()
    transient: bool = False
    surroundings: Surroundings = field(default_factory=Surroundings)
    asked: _Unfound = field(default_factory=_Unfound)
    registrations: list[Registration] = field(default_factory=list)

    def read(self) -> None:
        """Read what is to be executed; an entry point's module is an ordinary one, its version the distribution's."""
        if self.candidate.origin.tier is Tier.ENTRY_POINT:
            self.digest = self.candidate.origin.version
            return
        # Whoever reads judges what was opened, so that nobody can put another file in its place before.
        self.content = self.candidate.read()
        self.bundle = read_bundle(self.candidate.path, self.content, read=self.candidate.read)
        self.digest = self.bundle.digest
        self.module = private_name(self.candidate.path, self.candidate.stem, self.digest)

    def load(self) -> Hook | None:
        """Execute the candidate; returns its hook."""
        if self.candidate.origin.tier is Tier.ENTRY_POINT:
            return entry_point_hook(self.candidate.path)
        assert self.bundle is not None, "what is not read cannot be executed"  # noqa: S101
        return hook_of(execute(self.candidate.path, self.candidate.stem, self.bundle))


def plugin_name(candidate: Candidate) -> str:
    """The name under which a candidate's function is registered as a hook."""
    return f"{candidate.origin.tier.value}:{candidate.path}:{candidate.stem}"


def _records(run: _Run, registry: TypeRegistry, hook: TypesHook) -> list[Record]:
    candidate = run.candidate
    run.read()
    sys.meta_path.append(run.asked)
    try:
        # While it is executed too: a file may ask for the registry at its top level.
        with kept_surroundings() as run.surroundings, registry.collecting() as registrations:
            run.registrations = registrations
            function = run.load()
            if function is not None:
                hook.register(plugin_name(candidate), function, candidate.path)
    finally:
        if run.asked in sys.meta_path:
            sys.meta_path.remove(run.asked)
        run.missing = tuple(name for name in run.asked.names if name not in sys.modules)
    if function is None and not registrations:
        if candidate.origin.tier is Tier.ENTRY_POINT:
            # A file beside types files may be a helper; whoever writes an entry point means types.
            return [_failed(run, [_leads_to_no_types(candidate)])]
        return [_skipped(candidate, why_skipped(candidate.path) or f"it has no {HOOK}")]
    return list(_described(candidate, registrations, run.content, function))


def _leads_to_no_types(candidate: Candidate) -> Problem:
    module = candidate.path.partition(":")[0].strip()
    message = f"the entry point leads to no {HOOK}(type_registry), and registers nothing"
    hint = f'name the module that has {HOOK}(type_registry): {candidate.stem} = "{module}" below [pdg.types]'
    return Problem("entry-point-target", message, candidate.path, hint=hint)


def _skipped(candidate: Candidate, reason: str) -> Record:
    return Record(candidate.stem, candidate.origin, State.SKIPPED, Kind.UNKNOWN, reason=reason)


def _described(
    candidate: Candidate, registrations: list[Registration], content: bytes, function: Hook | None
) -> Iterator[Record]:
    """A record for each registration; a second one of the same name is invalid, unless it is the very same."""
    seen: dict[tuple[object, str], Registration] = {}
    for registration in registrations:
        key = (registration.kind, registration.name.lower())
        first = seen.get(key)
        if first is not None and first.type_object is registration.type_object:
            continue
        record = describe(registration, candidate.origin)
        # Whoever asks for the file's name is told what its types lack.
        record.aliases = () if record.usable else (candidate.stem.lower(),)
        if first is None:
            seen[key] = registration
        else:
            message = f'"{registration.name}" is registered twice, by different classes; the first one counts'
            hint = 'give one of them another name: registerScheduler(YourClass, name="…")'
            problem = called_at(registration.called, candidate.path).problem("registered-twice", message, hint)
            record.problems.insert(0, problem)
            record.state = State.INVALID
        yield record
    if not registrations:
        hint = f"in {HOOK}(type_registry): type_registry.registerScheduler(YourClass)"
        plain = function_of(function)
        place = place_of_function(plain) if plain is not None else Place(candidate.path)
        message = f"{HOOK} registers nothing"
        problem = Problem("registers-nothing", message, place.path, place.line, place.column, hint)
        yield guessed(candidate, content, State.INVALID, [problem])


def _failed(run: _Run, problems: list[Problem]) -> Record:
    needs_houdini = any(problem.code == "needs-houdini" for problem in problems)
    if run.content:
        # Only where something failed. The classes may have mistakes of their own, to be mended at once: what was
        # registered before is looked at as it is, all others by their text.
        from topcook.contract.static_validate import static_problems

        described = [describe(each, run.candidate.origin).problems for each in run.registrations]
        found = [*problems, *(each for more in described for each in more)]
        found += static_problems(run.content, run.candidate.path)
        problems = list(dict.fromkeys(found))
    reason = NEEDS_HOUDINI if needs_houdini else ""
    return guessed(run.candidate, run.content, State.FAILED, problems, reason)


def _cause(error: BaseException, run: _Run) -> BaseException:
    """What is behind an error; in most cases it is the error itself."""
    if not run.content or not issubclass(type(error), NameError):
        return error
    from topcook.factory.probing.swallowed import behind

    return behind(error, run.content, run.candidate.path)


def _problems(error: BaseException, candidate: Candidate) -> list[Problem]:
    # By its type: an exception may have an author's __getattribute__, which isinstance would ask.
    if issubclass(type(error), UntrustedFileError):
        return list(error.problems)  # type: ignore[attr-defined]
    # Only where something failed: what explains it is a good part of what a worker would have to load.
    from topcook.factory.faults import problems_of

    try:
        problems = problems_of(error, candidate.path)
        trait = _trait(error)
        if trait is not None and problems[0].code != "syntax-error":
            problems[:1] = [replace(problems[0], code=trait.code, message=trait.message, hint=trait.hint)]
        return problems
    except BaseException:  # noqa: BLE001 - an author's exception may raise from any look at it
        message = f"{type(error).__name__} was raised, and looking at it raised again"
        return [Problem("raises", message, candidate.path, hint="let its __str__ and properties only return")]


def _trait(error: BaseException) -> Trait | None:
    from topcook.factory.faults import said

    match error:
        case MemoryError():
            return TRAITS["memory"]
        case EOFError() if "reading a line" in said(error):
            return TRAITS["reads-input"]
        case KeyboardInterrupt():
            return TRAITS["interrupts"]
    return None


def _hangs_on_the_moment(error: BaseException) -> bool:
    """Whether another attempt may end otherwise: a server was away, a file could not be read, memory was short."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if issubclass(type(current), ImportError):
            return False
        if issubclass(type(current), OSError | MemoryError | TimeoutError):
            return True
        look_up = partial(BaseException.__getattribute__, current)
        current = look_up("__cause__") or look_up("__context__")
    return False
