"""Whether a value may stand in a parm: known name, right type, overridable where that is asked."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from topcook.errors import Problem, ProblemsError
from topcook.lean import replace
from topcook.model.secrets import held, secret_of
from topcook.model.sizes import memory_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from topcook.model.parms import Parms, ParmSpec

#: A name this close to a declared one is taken for a slip, where undeclared names are allowed.
SLIP = 0.87
#: How many names a hint lists.
NAMES = 12
#: The code of a secret that stands in plain sight: no excerpt shows the line.
PLAIN_SECRET = "plain-secret"  # noqa: S105 - a problem's code
_EXPRESSION = ("@", "$", "`")

_ACCEPTS: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Toggle": (bool, int),
}


class TypedText(str):
    """A value as somebody typed it on a command line; what it is, ``typed_value`` decides by its parm."""

    __slots__ = ()


def typed_value(text: TypedText, spec: ParmSpec | None) -> Any:
    """The value that a typed text stands for: TOML where it is TOML, the text itself where it is not.

    A parm that is a string takes ``12`` and ``true`` as texts; only what stands in quotes or brackets is read there.
    """
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return str(text)
    value = document.get("value")
    known = isinstance(value, str | int | float | list | dict)
    if len(document) != 1 or not known:
        # Dates are values in TOML, and texts to PDG.
        return str(text)
    wants_text = spec is not None and spec.type == "String" and not spec.tags & {"menu", "list"}
    return str(text) if wants_text and not isinstance(value, str | list | dict) else value


def check_parm(parms: Parms, name: str, value: Any, *, undeclared: bool) -> Iterator[Problem]:
    """The problems of giving ``name`` this value; ``undeclared``: the owner may have parms that nobody declared."""
    if isinstance(value, list | tuple) and value and all(isinstance(row, dict) for row in value):
        for number, row in enumerate(value, 1):
            for key, inner in row.items():
                for problem in check_parm(parms, f"{key}{number}", inner, undeclared=undeclared):
                    yield _in_row(problem, parms, name, number, key)
        return
    spec = parms.spec_for(name)
    if spec is None:
        yield from _unknown(parms, name, undeclared=undeclared)
    elif isinstance(value, list | tuple) and value and _counts_rows(parms, spec):
        keys = [known.removesuffix("#") for known in parms.specs if known.endswith("#")]
        yield Problem(
            "wrong-type",
            f'parm "{name}" takes a list of tables, and not all that is listed are',
            hint=f"write each as {{ {keys[0]} = … }}; a row's keys are: {', '.join(keys)}",
        )
    else:
        yield from _wrong_type(spec, name, value)


def _counts_rows(parms: Parms, spec: ParmSpec) -> bool:
    """Whether a parm is the count of a multiparm: an integer, declared right before the specs that end in #."""
    names = list(parms.specs)
    after = names[names.index(spec.name) + 1 :][:1] if spec.name in names else []
    return spec.type == "Integer" and spec.size == 1 and after != [] and after[0].endswith("#")


def _in_row(problem: Problem, parms: Parms, multiparm: str, number: int, key: str) -> Problem:
    """What is wrong with a key of a multiparm's row, in the words of the file: there it has no number behind it."""
    message = problem.message.replace(f'"{key}{number}"', f'"{key}"', 1)
    hint = (problem.hint or "").replace(f"{key}{number} = ", f"{key} = ")
    if problem.code == "unknown-parm":
        keys = [known.removesuffix("#") for known in parms.specs if known.endswith("#")]
        close = _close(key, keys, 1)
        hint = f'did you mean "{close[0]}"?' if close else f"rows have: {', '.join(keys) or 'no keys here'}"
    return replace(problem, message=f'"{multiparm}", row {number}: {message}', hint=hint or None)


def _close(name: str, names: Sequence[str], most: int, cutoff: float = 0.6) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, names, most, cutoff)


def _unknown(parms: Parms, name: str, *, undeclared: bool) -> Iterator[Problem]:
    names = list(parms.specs)
    close = _close(name, names, 3, SLIP if undeclared else 0.6)
    if undeclared and not close:
        return
    listed = ", ".join(f'"{known}"' for known in close) if close else ", ".join(names[:NAMES])
    hint = f"did you mean {listed}?" if close else f"it has: {listed}"
    if undeclared:
        hint += " If not, declare it under [[schedulers.NAME.spare]]"
    yield Problem("unknown-parm", f'there is no parm "{name}"', hint=hint)


def plain_secret(name: str, value: Any) -> Iterator[Problem]:
    """The problem of a secret whose value itself stands in a file or on a command line; it is not repeated here."""
    values = value if isinstance(value, list | tuple) else [value]
    if not all(each in ("", None) or secret_of(each) is not None for each in values):
        variable = re.sub(r"\W", "_", name).upper()
        hint = f'{name} = {{env = "{variable}"}}, {{file = "path"}} or {{command = "prints it"}}'
        yield Problem(PLAIN_SECRET, f'parm "{name}" is secret: its value cannot be written down here', hint=hint)


def _wrong_type(spec: ParmSpec, name: str, value: Any) -> Iterator[Problem]:
    if spec.secret:
        yield from plain_secret(name, value)
        return
    values = value if isinstance(value, list | tuple) else [value]
    if isinstance(value, list | tuple) and spec.size == 1 and len(spec.default) <= 1 and "list" not in spec.tags:
        yield Problem(
            "wrong-type",
            f'parm "{name}" is {_told(spec.type)}, found a list of {len(values)}',
            hint=f"give a single value: {name} = {_sample(spec)}",
        )
        return
    most = max(spec.size, len(spec.default))
    if len(values) > most > 1 and "list" not in spec.tags:
        yield Problem(
            "wrong-type",
            f'parm "{name}" has {most} components, found a list of {len(values)}',
            hint=f"leave out the last {len(values) - most}",
        )
        return
    for component in values:
        if "size" in spec.tags and not _is_expression(component):
            yield from _wrong_size(name, component)
        elif not _fits(spec, component):
            yield Problem(
                "wrong-type",
                f'parm "{name}" is {_told(spec.type)}, found {_found(component)}',
                hint=f"for example: {name} = {_sample(spec)}",
            )
            return


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and any(mark in value for mark in _EXPRESSION)


def _wrong_size(name: str, value: Any) -> Iterator[Problem]:
    try:
        memory_size(value)
    except ValueError as error:
        yield Problem("wrong-type", f'parm "{name}" {error}', hint=f'for example: {name} = "2G"')


def _fits(spec: ParmSpec, value: Any) -> bool:
    if isinstance(value, str) and spec.type != "String":
        # An expression gives the number when the parm is evaluated.
        return _is_expression(value)
    if isinstance(value, bool) and spec.type in {"Integer", "Toggle"}:
        return True
    if isinstance(value, bool):
        return False
    if spec.type == "String" and "menu" in spec.tags and isinstance(value, int):
        return True
    if spec.type == "String" and "list" in spec.tags and isinstance(value, int | float | dict):
        return True
    return isinstance(value, _ACCEPTS[spec.type])


def _told(kind: str) -> str:
    return {"String": "a string", "Integer": "an integer", "Float": "a number", "Toggle": "true or false"}[kind]


def _found(value: Any) -> str:
    kind = {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "a string",
        dict: "a table",
        list: "a list",
    }.get(type(value), type(value).__name__)
    return f"{kind} ({value!r})" if not isinstance(value, dict | list) else kind


def _sample(spec: ParmSpec) -> str:
    value = spec.default_at(0)
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def job_parm_values(parms: Parms, scheduler: str, name: str, value: Any) -> dict[str, Any]:
    """What overriding a scheduler's parm for a node means, by parm; a list of tables fills a multiparm.

    Raises ``ProblemsError`` with everything that is wrong.
    """
    values = {name: value}
    if isinstance(value, list | tuple) and value and all(isinstance(row, dict) for row in value):
        values = {f"{key}{number}": inner for number, row in enumerate(value, 1) for key, inner in row.items()}
        values[name] = len(value)
    problems = [problem for key, each in values.items() for problem in check_job_parm(parms, scheduler, key, each)]
    if problems:
        raise ProblemsError(problems)
    specs = {key: parms.spec_for(key) for key in values}
    return {key: held(each) if (spec := specs[key]) and spec.secret else each for key, each in values.items()}


def check_job_parm(parms: Parms, scheduler: str, name: str, value: Any) -> Iterator[Problem]:
    """The problems of overriding a scheduler's parm for a node."""
    spec = parms.spec_for(name)
    if spec is None and parms.get(name) is not None:
        spec = parms.get(name).spec  # type: ignore[union-attr]
    open_to = [known.name for known in parms.specs.values() if known.is_job_parm]
    listed = ", ".join(open_to) or "none"
    if spec is None:
        close = _close(name, open_to, 3)
        hint = f'did you mean "{close[0]}"?' if close else f"it has, to be overridden: {listed}"
        yield Problem("unknown-job-parm", f'scheduler "{scheduler}" has no parm "{name}"', hint=hint)
    elif not spec.is_job_parm:
        yield Problem(
            "not-overridable",
            f'parm "{name}" of scheduler "{scheduler}" cannot be overridden per node',
            hint=f"it may be when its template tags it jobParm; to be overridden are: {listed}",
        )
    else:
        yield from _wrong_type(spec, name, value)
