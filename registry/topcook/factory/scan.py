"""The factory: all that was found, who answers to which name, and why the others do not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from topcook.config import Config, load_config
from topcook.contract.tolerated import TOLERATED
from topcook.errors import Problem, SchedulerContractError
from topcook.factory.defaults import offered_hou, users_index, workers
from topcook.factory.index.place import SITE_NAME
from topcook.factory.loader import Loader, kind_of
from topcook.factory.lookup import Lookup, Snapshot
from topcook.factory.namebook import NameBook
from topcook.factory.records import Kind, Origin, Record, State, Tier
from topcook.factory.requirement import hold_to_seed
from topcook.factory.slots import Key, Slot, by_key, key_of, not_probed, precedence, report_on
from topcook.factory.sources import (
    Candidate,
    Rules,
    candidates_in,
    classified,
    disable_by_name,
    entry_points,
    path_warnings,
)
from topcook.factory.trust import trust_of
from topcook.factory.typespath import TypesEntry, builtin_types_dir, types_path
from topcook.model.collector import collector_at_rest

if TYPE_CHECKING:
    from topcook.factory.backlog import Backlog
    from topcook.factory.index import Index
    from topcook.factory.index.entries import Look
    from topcook.factory.probing import Prober
    from topcook.factory.probing.prober import Done
    from topcook.factory.typeregistry import Registration, TypeRegistry
    from topcook.factory.wire import ProbeReport
    from topcook.model.enums import RegisteredType

__all__ = ["Factory"]

#: Seconds that a start may take to probe what nobody knows yet; the rest is probed in the background.
START = 30.0
#: Seconds for which a name is waited for that may be that of a file in the background: a probe's own limit, and a bit.
NAME = 12.0
#: What names an entry that the running program has added.
_ADDED = "registerPythonPath"
#: What a name book finds; found anew whenever records change.
_BOOK_CODES = frozenset({"duplicate-name", "broken-override"})


class Factory(Lookup):
    """Finds, validates and answers for scheduler and node types; executes them when they are used.

    ``records`` holds every candidate in order of precedence; none ever leaves it. ``problems`` is what is wrong
    with the configuration, the types path itself and between types (duplicates). ``config`` is what the types were
    found by.
    ``path`` is the types path.
    """

    def __init__(
        self, path: list[str], *, prober: Prober | None = None, index: Index | None = None, quiet: bool = True
    ) -> None:
        """Start with a types path and nothing found.

        Without a ``prober`` files are executed in this process; without an ``index`` each time anew. ``quiet``
        keeps what files print away from our output.
        """
        self.path = path
        self.config = Config()
        self.records = []
        self.problems: list[Problem] = []
        self._registry: TypeRegistry | None = None
        self.index = index
        self.quiet = quiet
        self._given, self._prober = prober, prober
        self._in_workers = False
        #: Keep workers between two probes; who looks again and again sets it, and calls ``close``.
        self.keeps_workers = False
        #: Called after other records were taken over.
        self.followers: set[Callable[[], None]] = set()
        self._loader = Loader(lambda: self.registry, quiet=quiet)
        self._book = NameBook([])
        self._program: list[Record] = []
        self._entries = [TypesEntry(each, Tier.PATH, "the program") for each in path]
        self._rules = Rules()
        self._patience: float | None = None
        self._slots: dict[Key, Slot] = {}
        self._backlog: Backlog | None = None
        # Records arrive from the background while others ask for names; a book, once made, does not change.
        self._lock = threading.RLock()

    @property
    def registry(self) -> TypeRegistry:
        """What ``pdg.TypeRegistry.types()`` gives within ``current()``; made when it is first needed."""
        with self._lock:
            if self._registry is None:
                from topcook.factory.typeregistry import TypeRegistry

                self._registry = TypeRegistry(self)
            return self._registry

    @classmethod
    def scan(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        config: Config | None = None,
        prober: Prober | None = None,
        index: Index | None = None,
        quiet: bool = True,
        patience: float | None = START,
    ) -> Factory:
        """Find everything there is: the types path left to right, then entry points, then the built-ins.

        ``environ`` replaces the process environment in saying where to look; ``config`` is read anew without one.
        The process's own types are probed in workers and kept in the user's index, unless ``prober`` and ``index``
        are given; those of another ``environ`` in this process. Probing takes ``patience`` seconds at most, then it
        goes on in the background. Never raises because of what it finds.
        """
        config = load_config(environ) if config is None else config
        path = types_path(config, os.environ if environ is None else environ)
        if environ is None:
            index = index or users_index()
        factory = cls([entry.path for entry in path.entries], prober=prober, index=index, quiet=quiet)
        factory._in_workers = environ is None
        factory.config, factory._entries, factory._patience = config, list(path.entries), patience
        factory._rules = Rules(trust_of(config, path.entries, environ), config)
        factory.problems += [*config.problems, *path.problems]
        factory.problems += offered_hou(os.environ if environ is None else environ)
        with collector_at_rest():
            factory._take(factory._all_candidates())
        return factory

    def _all_candidates(self) -> list[Candidate]:
        found: list[Candidate] = []
        problems: list[Problem] = []
        for entry in self._entries:
            inside = candidates_in(entry, self._rules)
            problems += path_warnings(entry, inside, self._rules.trust)
            found += inside
        installed, of_them = entry_points(self.index, self._rules.config)
        builtin = candidates_in(TypesEntry(builtin_types_dir(), Tier.BUILTIN, "built-in"), self._rules)
        known = {each.code for each in self.problems}
        self.problems += [each for each in (*problems, *of_them) if each.code not in known]
        return [*found, *installed, *builtin]

    # From candidates to records

    def _take(self, candidates: Iterable[Candidate]) -> None:
        """Let candidates join, those that are known already left out; probe what the index does not know."""
        fresh = {key: each for key, each in by_key(candidates).items() if key not in self._slots}
        slots = self._slots | {key: Slot(each) for key, each in fresh.items()}
        found, left = self._records_of(list(fresh.values()), self._patience)
        for candidate in fresh.values():
            slots[key_of(candidate)].records = found[id(candidate)]
        with self._lock:
            self._slots = dict(sorted(slots.items(), key=precedence))
            self._resolve()
        if left:
            self._go_on(left)

    def _records_of(
        self, candidates: Sequence[Candidate], patience: float | None
    ) -> tuple[dict[int, list[Record]], list[Candidate]]:
        """The records of candidates by their ``id``, from the index or else from a probe; those that took too long."""
        from topcook.factory.index.entries import Look

        look = Look()
        found, unknown = self._recalled(candidates, look)

        def done(candidate: Candidate, report: ProbeReport) -> None:
            found[id(candidate)] = self._reported(candidate, report, look)

        left = self._probed(unknown, done, patience)
        found |= {id(each): [not_probed(each)] for each in left}
        if self.index is not None:
            self.index.commit()
        return found, left

    def _recalled(self, candidates: Sequence[Candidate], look: Look) -> tuple[dict[int, list[Record]], list[Candidate]]:
        """What is known without executing anything, and the candidates of which nothing is."""
        known = self._kept(candidates, look)
        found: dict[int, list[Record]] = {}
        unknown: list[Candidate] = []
        for candidate in candidates:
            records = known.get(id(candidate))
            if records is not None:
                found[id(candidate)] = self._judged(candidate, records)
            elif classified(candidate).settled:
                found[id(candidate)] = [candidate.record()]
                if self.index is not None and candidate.skipped and not candidate.refused:
                    self.index.remember(candidate, report_on(found[id(candidate)]), look)
            else:
                unknown.append(candidate)
        return found, unknown

    def _kept(self, candidates: Sequence[Candidate], look: Look) -> dict[int, list[Record]]:
        """What indexes know: the sealed ones of shared directories first, they are the same for everybody."""
        if self.index is None:
            return {}
        known: dict[int, list[Record]] = {}
        roots = dict.fromkeys(each.origin.root for each in candidates if each.origin.tier is Tier.PATH)
        for root in () if self.index.shared else roots:
            if os.path.exists(os.path.join(root, SITE_NAME)):
                from topcook.factory.index.site import site_index

                site = site_index(root, self._rules.trust, os.environ)
                inside = [each for each in candidates if each.origin.root == root]
                known |= site.recall(inside, look) if site is not None else {}
                self.index.notes.extend(site.notes if site is not None else ())
        return known | self.index.recall([each for each in candidates if id(each) not in known], look)

    def _probed(self, candidates: Sequence[Candidate], done: Done, patience: float | None) -> list[Candidate]:
        if not candidates:
            return []
        deadline = None if patience is None else time.monotonic() + patience
        with self._quietly():
            left = self._probing().probe(candidates, done, deadline)
        if not left:
            self.rest()
        return left

    def _reported(self, candidate: Candidate, report: ProbeReport, look: Look) -> list[Record]:
        from topcook.factory.wire import records_of

        records = records_of(report, candidate.origin, candidate.stem)
        if self.index is not None and all(each.state is not State.NOT_PROBED for each in records):
            self.index.remember(candidate, report, look)
        return self._judged(candidate, records)

    def _judged(self, candidate: Candidate, records: list[Record]) -> list[Record]:
        """The records as the configuration has them: blocked by their names, or held to more than the contract."""
        disable_by_name(self.config, candidate, records)
        hold_to_seed(self.config, records)
        return records

    def _quietly(self) -> AbstractContextManager[None]:
        """While files are executed in this very process, what they print stays away from our output."""
        from topcook.factory.quiet import captured_output

        return captured_output() if self.quiet and self.in_process else nullcontext()

    @property
    def in_process(self) -> bool:
        """Whether files are probed in this very process."""
        from topcook.factory.probing import InProcessProber

        return isinstance(self._probing(), InProcessProber)

    def _probing(self) -> Prober:
        with self._lock:
            if self._prober is None:
                from topcook.factory.probing import InProcessProber

                self._prober = workers(self.search_path()) if self._in_workers else InProcessProber(self.registry)
            return self._prober

    def rest(self) -> None:
        """Let go of workers that nobody needs for now."""
        with self._lock:
            if self._prober is not self._given and not self.keeps_workers and self._in_workers:
                self.close()

    def _go_on(self, left: Sequence[Candidate]) -> None:
        from topcook.factory.backlog import Backlog
        from topcook.factory.index.entries import Look

        look = Look()

        def done(candidate: Candidate, report: ProbeReport) -> None:
            with self._lock:
                slot = self._slots.get(key_of(candidate))
                # A later look may have found another version of it.
                if slot is not None and slot.candidate is candidate:
                    slot.records = self._reported(candidate, report, look)
                    self._resolve()

        def finished() -> None:
            self.rest()
            if self.index is not None:
                self.index.commit()

        self._backlog = Backlog(self._probing(), left, done, finished)

    def _resolve(self) -> None:
        """Decide anew who wins each name."""
        with self._lock:
            records = [*self._program, *(record for slot in self._slots.values() for record in slot.records)]
            book = NameBook(records)
            kept = [each for each in self.problems if each.code not in _BOOK_CODES]
            self.problems = [*kept, *book.problems()]
            self.records, self._book = book.records, book

    # Looking again (what a live registry is made of)

    def entries(self) -> list[TypesEntry]:
        """The entries of the types path in order of precedence, the built-ins last."""
        return [*self._entries, TypesEntry(builtin_types_dir(), Tier.BUILTIN, "built-in")]

    def candidates_of(self, entry: TypesEntry) -> list[Candidate]:
        """All candidates that an entry has now; what the program itself has added is trusted."""
        return candidates_in(entry, Rules(config=self.config) if entry.named_by == _ADDED else self._rules)

    def candidates(self) -> dict[Key, tuple[Candidate, list[Record]]]:
        """The candidates whose records hold, with these, in order of precedence, by tier, path and stem."""
        with self._lock:
            return {key: (slot.candidate, slot.records) for key, slot in self._slots.items()}

    def recalled(self, candidates: Sequence[Candidate]) -> tuple[dict[int, list[Record]], list[Candidate]]:
        """The records of candidates as their files are now, by the candidate's ``id``, and who has to be probed."""
        from topcook.factory.index.entries import Look

        found = self._recalled(candidates, Look())
        if self.index is not None:
            self.index.commit()
        return found

    def probe(self, candidates: Sequence[Candidate], done: Callable[[Candidate, list[Record]], None]) -> None:
        """Probe candidates, give each with its records to ``done`` on this thread as they come; they join nothing."""
        from topcook.factory.index.entries import Look

        look = Look()
        self._probed(candidates, lambda each, report: done(each, self._reported(each, report, look)), None)
        if self.index is not None:
            self.index.commit()

    def take_over(self, found: Iterable[tuple[Candidate, list[Record] | None]]) -> None:
        """Let these candidates be all there are, in order of precedence; None for records that hold as they are."""
        with self._lock:
            held = self._slots
            self._slots = {key_of(each): held[key_of(each)] if new is None else Slot(each, new) for each, new in found}
            self._resolve()
        for follower in list(self.followers):
            follower()

    def warm(self) -> None:
        """Have a worker wait, so that the next file need not wait for one to start."""
        from topcook.factory.probing import WorkerPool

        prober = self._probing()
        if isinstance(prober, WorkerPool):
            prober.warm()

    # Answers by name

    def find(self, kind: Kind, name: str) -> Record | None:
        """The usable record of that name, None when there is none; a file that is being probed is waited for."""
        self._wait_for(kind, name)
        return self._book.winner(kind, name)

    def _wait_for(self, kind: Kind, name: str) -> None:
        """Wait for what the background may still find under a name, before the first record that it is sure to give."""
        backlog = self._backlog
        if backlog is None:
            return
        sure = self._book.winner(kind, name)
        likely = {id(record) for record in self.known(kind, name)}
        waiting: list[Candidate] = []
        for slot in list(self._slots.values()):
            if sure is not None and sure in slot.records:
                break
            pending = (each for each in slot.records if each.state is State.NOT_PROBED)
            if any(sure is None or id(each) in likely for each in pending):
                waiting.append(slot.candidate)
        backlog.wait(waiting, NAME)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until nothing is probed in the background any more; False when ``timeout`` seconds were not enough."""
        return self._backlog is None or self._backlog.wait_all(timeout)

    def close(self) -> None:
        """End what probes for this factory; what is not probed by then stays so."""
        with self._lock:
            prober, self._prober = self._prober, self._given
        if prober is not None:
            prober.close()

    def looked_in(self) -> list[str]:
        """Where types were looked for, as a person is told."""
        return [*self.path, "entry points of group pdg.types", f"{builtin_types_dir()} (built-in)"]

    def load(self, record: Record) -> type:
        """The class of a record; its module is executed now, unless it was before.

        Raises ``SchedulerContractError`` for one that cannot be used, also when that is only found out now.
        """
        try:
            return self._loader.load(record)
        except SchedulerContractError:
            self._resolve()
            raise

    def snapshot(self) -> Snapshot:
        """The records as they are: what a cook resolves all its names in."""
        with self._lock:
            return Snapshot(self, self._book, self._loader, self.looked_in())

    def examine(self, paths: Sequence[str]) -> list[Record]:
        """Probe files and directories now, whatever the index knows; they join nothing, and nothing is kept of them.

        Workers probe them, unless this factory has a prober of its own. Whoever names a file himself trusts it.
        """
        entries = [TypesEntry(os.path.abspath(path), Tier.PATH, "you") for path in paths]
        rules = Rules(trust_of(None, entries))
        found = [classified(candidate) for entry in entries for candidate in candidates_in(entry, rules)]
        records = {id(each): [each.record()] for each in found if each.settled}

        def done(candidate: Candidate, report: ProbeReport) -> None:
            from topcook.factory.wire import records_of

            records[id(candidate)] = records_of(report, candidate.origin, candidate.stem)

        prober = self._given or workers([os.path.dirname(entry.path) for entry in entries])
        prober.probe([each for each in found if not each.settled], done, None)
        if prober is not self._given:
            prober.close()
        return [record for each in found for record in records.get(id(each)) or [not_probed(each)]]

    # What the registry asks (typeregistry.Catalogue)

    def registered(self, registration: Registration) -> None:
        """A type of the running program's own: it goes before all others, the latest first."""
        from topcook.contract.source import path_of
        from topcook.factory.describe import describe

        cls = registration.type_object
        origin = Origin(Tier.PROGRAM, (path_of(cls) if isinstance(cls, type) else None) or "<program>")
        record = describe(registration, origin)
        if record.state is State.INVALID:
            raise SchedulerContractError(
                [each for each in record.problems if each.code not in TOLERATED],
                f'"{record.name}" does not fulfil the contract',
            )
        self._program.insert(0, record)
        self._resolve()

    def winner(self, kind: RegisteredType, name: str) -> Registration | None:
        """The registration behind the usable record of a name; its class is loaded when it is asked for."""
        ours = kind_of(kind)
        record = self.find(ours, name) if ours is not None else None
        if record is None:
            return None
        from topcook.factory.typeregistry import Registration

        made = Registration(kind, record.name, None, record.label, record.category, load=lambda: self.load(record))
        made.parm_category, made.node_type, made.static_gen = record.parm_category, record.node_type, record.static_gen
        return made

    def names(self, kind: RegisteredType) -> list[str]:
        """The usable names of a kind."""
        ours = kind_of(kind)
        return self._book.names(ours) if ours is not None else []

    def search_path(self) -> list[str]:
        """The directories of the types path, the built-ins last."""
        return [*self.path, builtin_types_dir()]

    def add_path(self, path: str) -> None:
        """Find types in one more directory, after those of the types path that are there already."""
        if path in self.path:
            return
        self.path.append(path)
        self._entries.append(TypesEntry(path, Tier.PATH, _ADDED))
        self._take(self.candidates_of(self._entries[-1]))

    def reload(self, kind: RegisteredType, name: str) -> bool:
        """Probe the file of a type again; False when it is broken now, and the old version goes on serving."""
        ours = kind_of(kind)
        record = self._book.winner(ours, name) if ours is not None else None
        slot = next((each for each in self._slots.values() if record in each.records), None)
        if slot is None:
            return False
        from topcook.factory.index.entries import Look

        fresh: list[Record] = []
        look = Look()
        self._probed([slot.candidate], lambda each, report: fresh.extend(self._reported(each, report, look)), None)
        if any(each.state is not State.OK for each in fresh):
            return False
        with self._lock:
            slot.records = fresh
            self._resolve()
        return True
