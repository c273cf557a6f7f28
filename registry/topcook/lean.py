"""``dataclass`` for classes that are made at every start: the same classes, without writing their methods beforehand.

The standard decorator writes and compiles up to six methods for each class, which costs a command that loads a hundred
of them more than all its other imports. This one shares all methods but ``__init__``, which is compiled when more
than a few instances are made. ``dataclasses.fields``, ``replace`` and ``asdict`` take these classes as their own.

``NamedTuple`` is ``typing.NamedTuple`` in the same way: its ``__new__`` is compiled when more than a few are made, and
no annotation is. ``pattern`` does it for regular expressions: of those in the modules it loads, a command uses few.
"""

from __future__ import annotations

import reprlib
from operator import attrgetter, itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

Made = TypeVar("Made", bound=type)
Instance = TypeVar("Instance")

_MISSING: Any = object()
#: So many instances of a class are made before code is compiled for them, which costs as much as about thirty.
EARLY = 16


class _Field:
    """What is known of a field."""

    __slots__ = ("annotation", "compare", "default", "factory", "init", "repr")

    def __init__(self, default: Any, factory: Any, *, init: bool, repr: bool, compare: bool) -> None:  # noqa: A002
        self.default = default
        self.factory = factory
        self.init = init
        self.repr = repr
        self.compare = compare
        self.annotation: Any = None

    @property
    def is_needed(self) -> bool:
        """Whether a call must say it."""
        return self.init and self.default is _MISSING and self.factory is _MISSING


def field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    init: bool = True,
    repr: bool = True,  # noqa: A002
    compare: bool = True,
) -> Any:
    """A field with more than a default, as ``dataclasses.field``."""
    return _Field(default, default_factory, init=init, repr=repr, compare=compare)


def names(cls: type) -> tuple[str, ...]:
    """The names of the fields of a class that was made here, in order."""
    return tuple(cls.__lean__)  # type: ignore[attr-defined]


def replace(instance: Instance, **changes: Any) -> Instance:
    """As ``dataclasses.replace``: the same with some fields set anew; raises TypeError for a name that is none."""
    kept = {name: getattr(instance, name) for name in type(instance).__match_args__}  # type: ignore[attr-defined]
    return type(instance)(**(kept | changes))


@dataclass_transform(field_specifiers=(field,))
def dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, weakref_slot: bool = False
) -> Callable[[Made], Made]:
    """As ``dataclasses.dataclass``; raises TypeError without ``slots``, and for a field without a default after one."""
    if not slots:
        raise TypeError("topcook.lean makes classes with slots only")

    def make(cls: Made) -> Made:
        made: Made = _make(cls, frozen=frozen, eq=eq, weakref_slot=weakref_slot)
        return made

    return make


def _make(cls: Any, *, frozen: bool, eq: bool, weakref_slot: bool) -> Any:
    body = dict(cls.__dict__)
    inherited: dict[str, _Field] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited |= base.__dict__.get("__lean__", {})
    own: dict[str, _Field] = {}
    for name, annotation in body.get("__annotations__", {}).items():
        if str(annotation).startswith("ClassVar"):
            continue
        given = body.pop(name, _MISSING)
        own[name] = given if isinstance(given, _Field) else field(default=given)
        own[name].annotation = annotation
    fields = {**inherited, **own}
    _check_order(cls, fields)
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    body["__slots__"] = (*(name for name in own if name not in inherited), *(("__weakref__",) if weakref_slot else ()))
    body["__lean__"] = fields
    body["__dataclass_fields__"] = _STANDARD
    body["__match_args__"] = tuple(name for name, each in fields.items() if each.init)
    body.setdefault("__repr__", _repr)
    if eq:
        body.update(_comparing(body, [name for name, each in fields.items() if each.compare], frozen=frozen))
    if frozen:
        body |= {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _restore}
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    if "__init__" not in body:
        made.__init__ = _first(made, frozen=frozen)
    return made


def _check_order(cls: type, fields: dict[str, _Field]) -> None:
    optional = ""
    for name, each in fields.items():
        if not each.init:
            continue
        if each.default is not _MISSING or each.factory is not _MISSING:
            optional = name
        elif optional:
            raise TypeError(f"{cls.__name__}: field {name!r} without a default follows {optional!r}, which has one")


def _comparing(body: dict[str, Any], names: list[str], *, frozen: bool) -> dict[str, Any]:
    """``__eq__`` and ``__hash__``, unless the class has its own."""
    # Two names at least: attrgetter of one answers with the bare value.
    key: Any = attrgetter(*names, "__class__", "__class__") if names else attrgetter("__class__", "__class__")
    shared = {"__lean_key__": key, "__eq__": _eq, "__hash__": _hash if frozen else None}
    return {name: body.get(name) or method for name, method in shared.items()}


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    key = self.__lean_key__
    return key(self) == key(other)


def _hash(self: Any) -> int:
    return hash(self.__lean_key__(self))


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, each in self.__lean__.items() if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *_value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to or delete field {name!r} of {type(self).__qualname__}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__lean__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__lean__, state, strict=True):
        object.__setattr__(self, name, value)


def _first(made: Any, *, frozen: bool) -> Any:
    """``__init__``, of which the code is put in at the first call: nobody who compares functions sees another one."""
    scope: dict[str, Any] = {"_missing": _MISSING}
    init = FunctionType(_unwritten.__code__, scope, "__init__")
    scope["_write"] = lambda: _write(init, made, scope, frozen=frozen)
    scope["_written"] = init
    scope["_early"] = _Early(made, frozen=frozen)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _unwritten(self: Any, /, *args: Any, **kwargs: Any) -> None:
    if not _early(self, args, kwargs):  # type: ignore[name-defined]  # noqa: F821
        _write()  # type: ignore[call-arg]
        _written(self, *args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


class _Early:
    """Fills the first few instances of a class without any code of their own; most classes never have more."""

    def __init__(self, made: Any, *, frozen: bool) -> None:
        self._made = made
        self._frozen = frozen
        self._left = EARLY

    def __call__(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether it was done; not for what is called wrongly either: the written code says best what is wrong."""
        self._left -= 1
        values = _given(self._made.__match_args__, args, kwargs) if self._left >= 0 else None
        fields: dict[str, _Field] = self._made.__lean__
        if values is None or any(each.is_needed and name not in values for name, each in fields.items()):
            return False
        put = object.__setattr__ if self._frozen else setattr
        for name, each in fields.items():
            if name in values:
                put(instance, name, values[name])
            elif each.factory is not _MISSING:
                put(instance, name, each.factory())
            elif each.default is not _MISSING:
                put(instance, name, each.default)
        if hasattr(self._made, "__post_init__"):
            instance.__post_init__()
        return True


def _given(names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """What was passed, by name; ``None`` when there is too much of it."""
    if len(args) > len(names):
        return None
    values = dict(zip(names, args, strict=False))
    if kwargs:
        if not (values.keys().isdisjoint(kwargs) and kwargs.keys() <= set(names)):
            return None
        values |= kwargs
    return values


def _write(init: Any, made: Any, scope: dict[str, Any], *, frozen: bool) -> None:
    """Compile ``__init__`` and put its code into ``init``."""
    parms, lines = ["self"], []
    for name, each in made.__lean__.items():
        value = name
        if each.factory is not _MISSING:
            scope[f"_make_{name}"] = each.factory
            value = f"_make_{name}()" + (f" if {name} is _missing else {name}" if each.init else "")
            parm = f"{name}=_missing"
        elif each.default is not _MISSING:
            scope[f"_default_{name}"] = each.default
            parm = f"{name}=_default_{name}"
            value = value if each.init else f"_default_{name}"
        elif each.init:
            parm = name
        else:
            continue
        if each.init:
            parms.append(parm)
        if frozen:
            # The slot's own setter: the class refuses the usual way.
            scope[f"_set_{name}"] = getattr(made, name).__set__
            lines.append(f"_set_{name}(self, {value})")
        else:
            lines.append(f"self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    found: dict[str, Any] = {}
    text = f"def __init__({', '.join(parms)}):\n " + "\n ".join(lines or ["pass"])
    exec(text, scope, found)  # noqa: S102 - the names of fields, and nothing else
    # The defaults first: another thread may call it in between, and the code so far takes anything.
    init.__defaults__ = found["__init__"].__defaults__
    init.__code__ = found["__init__"].__code__


class _Standard:
    """``__dataclass_fields__``, made when somebody asks: what the functions of ``dataclasses`` go by."""

    def __get__(self, instance: object, owner: Any) -> dict[str, Any]:
        import dataclasses

        rows = []
        for name, each in owner.__lean__.items():
            options = {"init": each.init, "repr": each.repr, "compare": each.compare}
            if each.factory is not _MISSING:
                options["default_factory"] = each.factory
            elif each.default is not _MISSING:
                options["default"] = each.default
            rows.append((name, each.annotation, dataclasses.field(**options)))
        standard: Any = dataclasses.make_dataclass(owner.__name__, rows)
        owner.__dataclass_fields__ = standard.__dataclass_fields__
        return owner.__dataclass_fields__  # type: ignore[no-any-return]


_STANDARD = _Standard()


def _unwritten_new(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
    values = _early(args, kwargs)  # type: ignore[name-defined]  # noqa: F821
    if values is None:
        _write()  # type: ignore[call-arg]
        return _written(cls, *args, **kwargs)  # type: ignore[name-defined]  # noqa: F821
    return tuple.__new__(cls, values)


def _early_values(fields: tuple[str, ...], defaults: dict[str, Any]) -> Any:
    """As ``_Early``, for the values of a tuple; it answers ``None`` where it is not to be done."""
    left = EARLY

    def values(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | None:
        nonlocal left
        left -= 1
        given = _given(fields, args, kwargs) if left >= 0 else None
        if given is None:
            return None
        given = defaults | given
        return [given[name] for name in fields] if len(given) == len(fields) else None

    return values


def _write_new(new: Any, fields: tuple[str, ...], scope: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Compile ``__new__`` and put its code into ``new``."""
    scope |= {f"_default_{name}": value for name, value in defaults.items()}
    parms = [f"{name}=_default_{name}" if name in defaults else name for name in fields]
    found: dict[str, Any] = {}
    values = "".join(f"{name}, " for name in fields)
    exec(f"def __new__({', '.join(['_cls', *parms])}):\n return _tuple(_cls, ({values}))", scope, found)  # noqa: S102
    # As in _write: the defaults first.
    new.__defaults__ = found["__new__"].__defaults__
    new.__code__ = found["__new__"].__code__


def _shown(self: Any) -> str:
    pairs = (f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({', '.join(pairs)})"


def _replaced(self: Any, /, **changes: Any) -> Any:
    made = type(self)(*(changes.pop(name, value) for name, value in zip(self._fields, self, strict=True)))
    if changes:
        raise ValueError(f"Got unexpected field names: {list(changes)!r}")
    return made


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(self)


def _as_dict(self: Any) -> dict[str, Any]:
    return dict(zip(self._fields, self, strict=True))


class _NamedTupleMaker(type):
    """Makes a subclass of tuple from a class body with annotations."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(cls, name, bases, body)
        fields = tuple(body.get("__annotations__", ()))
        defaults = {field: body.pop(field) for field in fields if field in body}
        optional = fields[len(fields) - len(defaults) :]
        if tuple(defaults) != optional:
            raise TypeError(f"{name}: a field without a default follows one that has one")
        scope: dict[str, Any] = {"_tuple": tuple.__new__}
        new: Any = FunctionType(_unwritten_new.__code__, scope, "__new__")
        new.__qualname__ = f"{body['__qualname__']}.__new__"
        scope["_write"] = lambda: _write_new(new, fields, scope, defaults)
        scope["_written"] = new
        scope["_early"] = _early_values(fields, defaults)
        shared = {"__repr__": _shown, "_replace": _replaced, "_asdict": _as_dict, "__getnewargs__": _values}
        places = {field: property(itemgetter(place)) for place, field in enumerate(fields)}
        known = {"__slots__": (), "__new__": new, "_fields": fields, "_field_defaults": defaults}
        return type(name, (tuple,), shared | body | known | places | {"__match_args__": fields})


if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414 - the checker knows no other
else:

    class NamedTuple(metaclass=_NamedTupleMaker):
        """As ``typing.NamedTuple``; raises TypeError for a field without a default after one with one."""


class _Pattern:
    """A regular expression that is compiled when it is first asked for one of its methods."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        import re

        found = getattr(re.compile(self._text, self._flags), name)
        # From now on it is found without coming here.
        setattr(self, name, found)
        return found


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """As ``re.compile``, but done at the first use, which is where a mistake in ``text`` raises ``re.error``."""
    made: Any = _Pattern(text, flags)
    return made  # type: ignore[no-any-return]
