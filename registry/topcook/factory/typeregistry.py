"""``pdg.TypeRegistry``: where types register themselves, and where they are looked up by name.

The names of its methods are PDG's. Behind ``types()`` stands a context variable, not a global: two factories
can live in one process, and a test has nothing to reset.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from topcook.contract.source import function_of
from topcook.contract.template import Template, read_template
from topcook.factory.typesearch import TypesSearch
from topcook.lean import dataclass, field
from topcook.model.enums import Language, NodeSubtype, NodeType, RegisteredType
from topcook.model.files import TAG_BY_EXTENSION, tag_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, ModuleType

__all__ = ["Catalogue", "RegisteredTypeHandle", "Registration", "TypeRegistry"]


@dataclass(slots=True)
class Registration:
    """One call of a register method, as it was made.

    ``line`` is where the class begins, ``called`` where the call stands: the code, the instruction in it and its line.
    Of a type that is looked up, ``load`` gives the class, which may have to be executed first.
    """

    kind: RegisteredType
    name: str
    type_object: Any
    label: str = ""
    category: str = ""
    parm_category: str = ""
    node_type: NodeType | None = None
    static_gen: bool = False
    sub_type: Any = None
    template: Template | None = None
    line: int | None = None
    load: Callable[[], type] | None = field(default=None, repr=False)
    called: tuple[CodeType, int, int] | None = field(default=None, repr=False)


class Catalogue(Protocol):
    """What stands behind a registry: the factory, which keeps the records and decides who wins."""

    def registered(self, registration: Registration) -> None:
        """The running program registered a type outside of any types file."""

    def winner(self, kind: RegisteredType, name: str) -> Registration | None:
        """The registration that answers to a name."""

    def names(self, kind: RegisteredType) -> list[str]:
        """The names that can be asked for."""

    def search_path(self) -> list[str]:
        """The entries of the types path in order of precedence."""

    def add_path(self, path: str) -> None:
        """Find types in one more directory."""

    def reload(self, kind: RegisteredType, name: str) -> bool:
        """Execute the type's file again."""


@dataclass(frozen=True, slots=True)
class RegisteredTypeHandle:
    """``pdg.SchedulerType`` and its like: what registering a type returns, and looking one up."""

    _registry: TypeRegistry = field(repr=False)
    _registration: Registration = field(repr=False)

    @property
    def typeName(self) -> str:
        """The name to ask for."""
        return self._registration.name

    @property
    def typeLabel(self) -> str:
        """The name that menus show."""
        return self._registration.label or self._registration.name

    @property
    def typeObject(self) -> Any:
        """The class; raises ``SchedulerContractError`` when its module cannot be executed any more."""
        load = self._registration.load
        return self._registration.type_object if load is None else load()

    @property
    def language(self) -> Language:
        """Python, always."""
        return Language.Python

    @property
    def category(self) -> str:
        """The submenu it is in."""
        return self._registration.category

    @property
    def parm_category(self) -> str:
        """The group of its override parms."""
        return self._registration.parm_category

    @property
    def nodeType(self) -> NodeType | None:
        """Processor, partitioner or mapper; None for a scheduler."""
        return self._registration.node_type

    def reload(self) -> bool:
        """Execute the type's file again; instances that exist keep their class."""
        return self._registry.catalogue.reload(self._registration.kind, self._registration.name)


_CURRENT: ContextVar[TypeRegistry] = ContextVar("topcook_type_registry")


class TypeRegistry(TypesSearch):
    """``pdg.TypeRegistry``.

    Inside a types file's ``registerTypes`` what is registered belongs to that file, and is taken back when
    it raises. Outside, it is a type of the running program's own, which goes before all others.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Make an empty registry in front of a catalogue."""
        self.catalogue = catalogue
        # What is registered belongs to the module that the same thread executes.
        self._open: dict[int, list[Registration]] = {}
        self._tags: dict[str, str] = dict(TAG_BY_EXTENSION)
        self._more_tags: set[str] = set()
        self._viewers: dict[str, str] = {}
        self._parents: dict[str, list[str]] = {}
        self._cache_handlers: dict[str, Callable[..., object]] = {}
        self.default_work_item: Any = None

    # Which registry it is

    @staticmethod
    def types() -> TypeRegistry:
        """The registry of the current context; made from the environment's types path if there is none."""
        try:
            return _CURRENT.get()
        except LookupError:
            from topcook.factory.scan import Factory

            registry = Factory.scan().registry
            _CURRENT.set(registry)
            return registry

    @contextmanager
    def current(self) -> Iterator[TypeRegistry]:
        """Make this what ``types()`` returns, in this context and those copied from it."""
        token = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(token)

    def adopt_thread(self) -> None:
        """Make this what ``types()`` returns on the calling thread, for good: new threads inherit no context."""
        _CURRENT.set(self)

    @contextmanager
    def collecting(self) -> Iterator[list[Registration]]:
        """Gather what one module registers; the tags it added are taken back when it raises."""
        thread = get_ident()
        before, tags = self._open.get(thread), (dict(self._tags), set(self._more_tags), dict(self._viewers))
        self._open[thread] = []
        try:
            with self.current():
                yield self._open[thread]
        except BaseException:
            # Author code may raise anything; what it had added goes with it.
            self._tags, self._more_tags, self._viewers = tags
            raise
        finally:
            del self._open[thread]
            if before is not None:
                self._open[thread] = before

    # Registering

    def registerScheduler(
        self,
        type_object: Any,
        name: str | None = None,
        label: str | None = None,
        parm_category: str | None = None,
        node_category: str | None = None,
        **_newer: Any,
    ) -> RegisteredTypeHandle:
        """Register a scheduler class; without a name its ``templateName``, else its lower-cased class name."""
        made = self._registration(RegisteredType.Scheduler, type_object, name, label)
        made.category, made.parm_category = node_category or "", parm_category or ""
        return self._add(made)

    def registerNode(
        self,
        type_object: Any,
        node_type: NodeType = NodeType.Processor,
        name: str | None = None,
        label: str | None = None,
        category: str | None = None,
        static_gen: bool = False,
        sub_type: Any = NodeSubtype.Normal,
        **_newer: Any,
    ) -> RegisteredTypeHandle:
        """Register a class of work item nodes."""
        made = self._registration(RegisteredType.Node, type_object, name, label)
        made.category, made.node_type = category or "", NodeType(node_type)
        made.static_gen, made.sub_type = bool(static_gen), sub_type
        return self._add(made)

    def registerWorkItem(self, type_object: Any, name: str | None = None, label: str | None = None) -> Any:
        """Register a class of work items."""
        return self._add(self._registration(RegisteredType.WorkItem, type_object, name, label))

    def registerModuleTypes(self, module: ModuleType, quiet: bool = False) -> bool:
        """Call a module's ``registerTypes`` with this registry; False when it has none or raises and ``quiet``."""
        hook = getattr(module, "registerTypes", None)
        if not callable(hook):
            if quiet:
                return False
            raise AttributeError(f'module "{module.__name__}" has no registerTypes(type_registry)')
        try:
            hook(self)
        except Exception:
            # Author code: PDG's "quiet" is to hear of no error of it at all.
            if quiet:
                return False
            raise
        return True

    def registerPythonPath(self, path: str, update_tops: bool = False) -> bool:
        """Find types in one more directory; False when there is none."""
        if not os.path.isdir(path):
            return False
        self.catalogue.add_path(os.path.abspath(path))
        return True

    def registerDSOTypes(self, path: str) -> bool:
        """Raise: compiled types are Houdini's."""
        raise NotImplementedError(
            f'compiled types need Houdini\'s libraries: "{path}" cannot be loaded outside Houdini'
        )

    def registerCacheHandler(self, tag: str, handler: Callable[..., object]) -> bool:
        """Remember what looks up caches of files with this tag."""
        self._cache_handlers[tag] = handler
        return True

    def registerTypeAlias(self, *_names: str) -> bool:
        """Raise: an alias is a setting of Houdini's operator tables."""
        raise NotImplementedError(
            "type aliases belong to Houdini's operator tables; register the class under both names"
        )

    def _registration(self, kind: RegisteredType, cls: Any, name: str | None, label: str | None) -> Registration:
        template = read_template(cls) if isinstance(cls, type) else None
        chosen = name or (template.name if template else "") or getattr(cls, "__name__", type(cls).__name__).lower()
        first = next(filter(None, map(function_of, vars(cls).values())), None) if isinstance(cls, type) else None
        line = first.__code__.co_firstlineno if first is not None else None
        caller = sys._getframe(2)  # noqa: SLF001 - whoever called the register method; inspect.stack() costs a thousand times more
        called = (caller.f_code, caller.f_lasti, caller.f_lineno)
        return Registration(kind, str(chosen), cls, label or "", template=template, line=line, called=called)

    def _add(self, registration: Registration) -> RegisteredTypeHandle:
        collected = self._open.get(get_ident())
        if collected is None:
            self.catalogue.registered(registration)
        else:
            collected.append(registration)
        return RegisteredTypeHandle(self, registration)

    # Looking up

    def registeredType(self, reg_type: RegisteredType, name: str) -> RegisteredTypeHandle | None:
        """The type of that name, case ignored; None when no usable one has it."""
        found = self.catalogue.winner(reg_type, name)
        return RegisteredTypeHandle(self, found) if found is not None else None

    def typeNames(self, reg_type: RegisteredType) -> list[str]:
        """The names of all usable types of a kind, sorted."""
        return self.catalogue.names(reg_type)

    def setDefaultWorkItem(self, type_object: Any) -> None:
        """Remember the class of plain work items."""
        self.default_work_item = type_object

    def addParentTypes(self, type: str, names: list[str]) -> None:
        """Say that a type stands for others too."""
        self._parents.setdefault(type, []).extend(names)

    # Tags

    @property
    def tags(self) -> list[str]:
        """All known tags, sorted."""
        return sorted({*self._tags.values(), *self._more_tags, "file"})

    def addTag(self, tag: str) -> None:
        """Make a tag known."""
        self._more_tags.add(tag)

    def addExtensionTag(self, ext: str, tag: str) -> None:
        """Tag files by an extension."""
        self._tags["." + ext.lower().lstrip(".")] = tag
        self._more_tags.add(tag)

    def addTagViewer(self, tag: str, viewer: str) -> None:
        """Open files of a tag with a program."""
        self._viewers[tag] = viewer

    def extToTag(self, ext: str) -> str:
        """The tag of an extension, ``file`` when it has none."""
        return self._tags.get("." + ext.lower().lstrip("."), "file")

    def pathToTag(self, path: str) -> str:
        """The tag of a path by its extension, the longest first."""
        name = os.path.basename(path).lower()
        parts = name.split(".")
        endings = ("." + ".".join(parts[at:]) for at in range(1, len(parts)))
        return next((self._tags[ending] for ending in endings if ending in self._tags), tag_for(path))

    def tagToViewer(self, tag: str) -> str:
        """The program for a tag, of the nearest parent tag when it has none itself; empty without."""
        while tag:
            if tag in self._viewers:
                return self._viewers[tag]
            tag = tag.rpartition("/")[0]
        return ""

    def pathToViewer(self, path: str) -> str:
        """The program for a path."""
        return self.tagToViewer(self.pathToTag(path))

    def filteredTags(self, prefix: str) -> list[str]:
        """The known tags that begin so."""
        return [tag for tag in self.tags if tag.startswith(prefix)]
