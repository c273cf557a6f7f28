"""Commands, output paths and labels of new work items, in which ``@attributes`` are written out."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from topcook.contract.expressions import Reference, expand, needs_inputs, parse
from topcook.contract.inherit import pass_expected_outputs
from topcook.errors import ExpressionError
from topcook.model.files import File, tag_for
from topcook.model.workitem import Trait
from topcook.runtime.generation_problems import Mistakes, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.contract.holders import Expressions, WorkItemHolder
    from topcook.contract.host import GraphServices
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem

__all__ = ["evaluate_labels", "evaluate_texts", "finish_late_command"]

#: The parm of every node that labels its items.
LABEL = "pdg_workitemlabel"
_LATE_OUTPUT = (
    'it names "@pdg_input", and what the inputs are is known only when they have cooked\n'
    '    let the input node declare its outputs, or generate late: pdg_workitemgeneration = "eachcooked"'
)


def evaluate_texts(holder: WorkItemHolder) -> None:
    """Evaluate the texts of a call's items; raises ``RefusedError`` with the mistakes of all of them.

    Output files first: an item may take what another one of the same call makes. A command that names input files
    which nobody can know yet stays as it is written, and is marked as late.
    """
    mistakes = Mistakes(holder.node)
    for row in holder.expressions:
        _evaluate_outputs(row, holder, mistakes)
    _evaluate_labels(holder.node, holder.records, holder.graph, mistakes)
    for record in holder.records:
        pass_expected_outputs(record)
    for row in holder.expressions:
        if row.command is None:
            continue
        try:
            _evaluate_command(row.item, row.command[1], holder.graph)
        except ExpressionError as error:
            mistakes.add(row.command[0], row.command[1], error)
    _refuse(mistakes)


def evaluate_labels(node: Node, records: Sequence[WorkItem], graph: GraphServices) -> None:
    """Label the items that have no label of their own by the parm that every node has; raises ``RefusedError``."""
    mistakes = Mistakes(node)
    _evaluate_labels(node, records, graph, mistakes)
    _refuse(mistakes)


def _refuse(mistakes: Mistakes) -> None:
    problems = mistakes.problems()
    if problems:
        raise RefusedError(problems)


def finish_late_command(item: WorkItem, graph: GraphServices) -> None:
    """Put a late command together, now that the item's inputs have cooked; called at hand-over.

    Raises ``ExpressionError`` when there is no such input file.
    """
    if Trait.LATE_COMMAND in item.traits:
        item.command = expand(item.command, item, graph)
        item.traits &= ~Trait.LATE_COMMAND


def _evaluate_labels(node: Node, records: Sequence[WorkItem], graph: GraphServices, mistakes: Mistakes) -> None:
    parm = node.parms.get(LABEL)
    text = str(parm.at(0)) if parm is not None else ""
    for record in records if text else ():
        try:
            record.label = record.label or expand(text, record, graph)
        except ExpressionError as error:
            mistakes.add(LABEL, text, error)


def _evaluate_outputs(row: Expressions, holder: WorkItemHolder, mistakes: Mistakes) -> None:
    item, graph = row.item, holder.graph
    for parm, text, tag in row.outputs:
        try:
            if needs_inputs(text) and not _inputs_known(item):
                raise ExpressionError(_LATE_OUTPUT)
            path = expand(text, item, graph)
            if path:
                item.expected_outputs = [*(item.expected_outputs or ()), File(path, tag or tag_for(path))]
        except ExpressionError as error:
            mistakes.add(parm, text, error)


def _evaluate_command(item: WorkItem, text: str, graph: GraphServices) -> None:
    if needs_inputs(text) and item.needs and not _inputs_known(item):
        expand(_without_inputs(text), item, graph)
        item.command = text
        item.traits |= Trait.LATE_COMMAND
    else:
        item.command = expand(text, item, graph)


def _inputs_known(item: WorkItem) -> bool:
    """Whether every dependency says which files it makes; half a list would be taken for the whole."""
    return bool(item.needs) and all(needed.outputs or needed.expected_outputs for needed in item.needs)


@lru_cache(maxsize=1024)
def _without_inputs(text: str) -> str:
    """Everything else that ``text`` refers to, so that a mistyped attribute is found before the cook."""
    return " ".join(
        piece.source for piece in parse(text) if isinstance(piece, Reference) and not piece.name.startswith("pdg_input")
    )
