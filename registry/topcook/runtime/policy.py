"""What parms and item attributes say about failures, time and resources, as policies."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from topcook.contract.expressions import expand
from topcook.errors import ExpressionError, Problem
from topcook.lean import pattern
from topcook.model.enums import CacheMode
from topcook.model.policy import USUAL, Needs, OnFailure, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from topcook.contract.host import GraphServices
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem

__all__ = [
    "FIELDS",
    "needs_evaluation",
    "own_values",
    "policy_of",
    "policy_problems",
    "raw_values",
    "told",
    "unknown_cache_mode",
]

#: Exit statuses that a shell and a system can tell; a signal is negative.
_STATUSES = range(-64, 256)
_NEED = pattern(r"([A-Za-z_][A-Za-z0-9_.:-]{0,99})(?: *= *([1-9][0-9]{0,8}))?")


def _number(values: Sequence[Any]) -> float:
    try:
        number = float(values[0])
    except (TypeError, ValueError, IndexError):
        raise ValueError("must be a number of seconds") from None
    if not (math.isfinite(number) and number >= 0):
        raise ValueError("must be 0 or more")
    return number


def _count(values: Sequence[Any]) -> int:
    number = _number(values)
    if number != int(number):
        raise ValueError("must be a whole number")
    return int(number)


def _statuses(values: Sequence[Any]) -> frozenset[int]:
    words = [word for value in values for word in re.split(r"[\s,]+", str(value)) if word]
    try:
        found = frozenset(int(word) for word in words)
    except ValueError:
        raise ValueError("must be exit statuses: 77, or [77, 78]") from None
    if any(status not in _STATUSES or not status for status in found):
        raise ValueError("must be exit statuses from 1 to 255; signals are negative")
    return found


def _on_failure(values: Sequence[Any]) -> OnFailure:
    words = [each.value for each in OnFailure]
    value = values[0] if values else ""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(words):
        return OnFailure(words[value])
    try:
        return OnFailure(str(value).strip().lower())
    except ValueError:
        raise ValueError(f"must be one of: {', '.join(words)}") from None


def _needs(values: Sequence[Any]) -> Needs:
    needs: dict[str, int] = {}
    for text in (word.strip() for value in values for word in str(value).split(",")):
        if not text:
            continue
        match = _NEED.fullmatch(text)
        if match is None:
            raise ValueError('must name resources: ["licence:nuke", "disk=2"]')
        needs[match[1]] = needs.get(match[1], 0) + int(match[2] or 1)
    return tuple(sorted(needs.items()))


#: By parm, and item attribute of that name: the policy's field, and how it is read; readers raise ``ValueError``.
FIELDS: dict[str, tuple[str, Callable[[Sequence[Any]], Any]]] = {
    "pdg_retries": ("retries", _count),
    "pdg_retrydelay": ("retry_delay", _number),
    "pdg_retrybackoff": ("retry_backoff", _number),
    "pdg_retrymaxdelay": ("longest_delay", _number),
    "pdg_retryexitcodes": ("denied", _statuses),
    "pdg_retryexitdelay": ("denied_delay", _number),
    "pdg_onfailure": ("on_failure", _on_failure),
    "pdg_timeout": ("timeout", _number),
    "pdg_timeoutgrace": ("grace", _number),
    "pdg_heartbeattimeout": ("heartbeat", _number),
    "pdg_resources": ("needs", _needs),
}


def raw_values(node: Node) -> dict[str, list[Any]]:
    """What a node's parms say, of those that somebody gave a value."""
    found = {}
    for name in FIELDS:
        parm = node.parms.get(name)
        if parm is not None and parm.values is not None:
            found[name] = list(parm.values)
    return found


def own_values(item: WorkItem) -> dict[str, list[Any]]:
    """What an item's attributes say."""
    attributes = item.attributes
    if not attributes or FIELDS.keys().isdisjoint(attributes):
        return {}
    return {name: list(attributes[name].values) for name in FIELDS if name in attributes}


def needs_evaluation(values: Sequence[Any]) -> bool:
    """Whether a value names attributes, so that each item has its own."""
    return any(isinstance(value, str) and "@" in value for value in values)


def policy_of(
    raw: Mapping[str, Sequence[Any]], item: WorkItem | None, graph: GraphServices, resources: Mapping[str, int]
) -> tuple[Policy, list[tuple[str, Problem]]]:
    """The policy that these values say, with every mistake by the parm that has it.

    ``item`` is what expressions are evaluated for; without one, values that have some are passed over.
    """
    fields: dict[str, Any] = {}
    problems = []
    for name, values in raw.items():
        if needs_evaluation(values) and item is None:
            continue
        field, read = FIELDS[name]
        try:
            fields[field] = read(values if item is None else _evaluated(values, item, graph))
        except (ValueError, ExpressionError) as error:
            told = f'"{values[0]}"' if len(values) == 1 else str(list(values))
            whose = f' of "{item.name}"' if item is not None else ""
            problems.append((name, Problem("bad-policy", f'parm "{name}"{whose} {error}, found {told}')))
    problems += [("pdg_resources", each) for each in _lacking(fields.get("needs", ()), resources)]
    return (Policy(**fields) if fields else USUAL), problems


def _evaluated(values: Sequence[Any], item: WorkItem, graph: GraphServices) -> list[Any]:
    return [expand(each, item, graph) if isinstance(each, str) else each for each in values]


def policy_problems(node: Node, graph: GraphServices, resources: Mapping[str, int]) -> list[tuple[str, Problem]]:
    """Every mistake in a node's parms about failures, time, resources and the cache, by parm."""
    return [*policy_of(raw_values(node), None, graph, resources)[1], *unknown_cache_mode(node)]


def unknown_cache_mode(node: Node) -> Iterator[tuple[str, Problem]]:
    """The mistake of a ``pdg_cachemode`` that is none."""
    parm = node.parms.get("pdg_cachemode")
    if parm is None or parm.values is None:
        return
    asked = str(parm.at()).strip().lower()
    if not any(asked in {str(int(mode)), mode.name.lower()} for mode in CacheMode):
        names = ", ".join(mode.name.lower() for mode in CacheMode)
        yield "pdg_cachemode", Problem("bad-policy", f'parm "pdg_cachemode" must be one of: {names}, found "{asked}"')


def _lacking(needs: Needs, resources: Mapping[str, int]) -> Iterator[Problem]:
    for name, amount in needs:
        if name not in resources:
            from difflib import get_close_matches

            close = get_close_matches(name, resources, 3)
            hint = f'did you mean "{close[0]}"? ' if close else ""
            yield Problem(
                "unknown-resource",
                f'there is no resource "{name}"',
                hint=f'{hint}the network file says how many there are: [resources] "{name}" = 1',
            )
        elif amount > resources[name]:
            yield Problem(
                "too-few-resources",
                f'it needs {amount} of "{name}", and there are {resources[name]}',
                hint=f'it would wait for ever: raise [resources] "{name}", or ask for less',
            )


def told(policy: Policy) -> list[str]:
    """What a policy says, for people: one line for each thing that is not as usual."""
    lines = []
    if policy.retries:
        delay = f", {policy.retry_delay:g} s after the first failure" if policy.retry_delay else ", at once"
        grows = f", then {policy.retry_backoff:g} times as long" if policy.retry_delay else ""
        lines.append(f"{policy.retries} more {'attempts' if policy.retries > 1 else 'attempt'}{delay}{grows}")
    if policy.denied:
        codes = ", ".join(map(str, sorted(policy.denied)))
        lines.append(f"exit status {codes}: comes again after {policy.denied_delay:g} s, which uses up no attempt")
    if policy.on_failure is not OnFailure.BLOCK:
        lines.append(f"on failure: {policy.on_failure.value}")
    if policy.timeout:
        lines.append(f"timed out after {policy.timeout:g} s, killed {policy.grace:g} s later")
    if policy.heartbeat:
        lines.append(f"a job that sent a sign of life sends one every {policy.heartbeat:g} s")
    if policy.needs:
        lines.append("needs " + ", ".join(f"{amount} of {name}" for name, amount in policy.needs))
    return lines
