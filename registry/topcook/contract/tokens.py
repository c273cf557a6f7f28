"""The ``__PDG_X__`` tokens of a command, replaced when a scheduler hands it over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from topcook.contract.quoting import quoted
from topcook.lean import pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.contract.pathmap import PathRule

#: Token → what answers it: called with the scheduler and the work item.
TOKENS: dict[str, Callable[[Any, Any], object]] = {
    "__PDG_DIR__": lambda scheduler, item: scheduler.workingDir(False),
    "__PDG_SHARED_ROOT__": lambda scheduler, item: scheduler.workingDir(False),
    "__PDG_TEMP__": lambda scheduler, item: scheduler.tempDir(False),
    "__PDG_SHARED_TEMP__": lambda scheduler, item: scheduler.tempDir(False),
    "__PDG_SCRIPTDIR__": lambda scheduler, item: scheduler.scriptDir(False),
    "__PDG_RESULT_SERVER__": lambda scheduler, item: scheduler.workItemResultServerAddr(),
    "__PDG_PYTHON__": lambda scheduler, item: scheduler.applicationBin("python", item),
    "__PDG_HYTHON__": lambda scheduler, item: scheduler.applicationBin("hython", item),
    "__PDG_HFS__": lambda scheduler, item: scheduler._topcook.graph.environment().get("HFS", ""),  # noqa: SLF001
}
#: Those of them that stand for a path; what stands for a program may be more than one word.
_PATHS = frozenset({"__PDG_DIR__", "__PDG_SHARED_ROOT__", "__PDG_TEMP__", "__PDG_SHARED_TEMP__", "__PDG_SCRIPTDIR__"})
#: Tokens that need an item; without one they stay.
ITEM_TOKENS: dict[str, Callable[[Any], object]] = {
    "__PDG_ITEM_NAME__": lambda item: item.name,
    "__PDG_ITEM_ID__": lambda item: item.id,
    "__PDG_INDEX__": lambda item: item.index,
}
#: Behind these a path in a command is over, or, where it has such in itself, what we have to replace of it.
_ENDS = r"\s\"'`;|&<>(),:"
_TOKEN = pattern("|".join([*TOKENS, *ITEM_TOKENS]))


def expand_tokens(text: str, scheduler: Any, work_item: Any) -> str:
    """``text`` with the command tokens replaced, each asked of the scheduler once.

    One pass only: a token in what ``applicationBin`` returns stays in the text, as do unknown tokens, and the item's
    own tokens when ``work_item`` is ``None``. For an item, whose command it is, a path that a shell would not read as
    it is comes with what it takes for that, within the quotes that are open there, or without. Mirrors
    ``pdg.Scheduler.expandCommandTokens``.
    """
    if "__PDG_" not in text:
        return text
    known: dict[str, str] = {}

    def value(match: re.Match[str]) -> str:
        token = match.group()
        if token not in known:
            known[token] = _answer(token, scheduler, work_item)
        if work_item is None or token not in _PATHS:
            return known[token]
        return quoted(known[token], text[: match.start()])

    return _TOKEN.sub(value, text)


def in_farms_view(text: str, rule: PathRule) -> str:
    """A command with its paths by ``rule``; those that begin within a word, as in a URL, are left as they are."""
    name = re.escape(rule.from_path.rstrip("/"))
    where = re.compile(rf"(?<![\w./~\\-]){name}(?=[/{_ENDS}]|$)[^{_ENDS}]*")
    return where.sub(lambda match: rule.apply(match.group()) or match.group(), text)


def _answer(token: str, scheduler: Any, work_item: Any) -> str:
    if token in ITEM_TOKENS:
        return token if work_item is None else str(ITEM_TOKENS[token](work_item))
    answer = TOKENS[token](scheduler, work_item)
    return "" if answer is None else str(answer)
