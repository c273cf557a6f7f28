"""Which earlier cook a cook goes on from, or uses as its cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from topcook.errors import CookRefusedError, RecorderError
from topcook.factory import Kind, Tier
from topcook.runtime.journal import Past
from topcook.runtime.journal.identity import identity_of
from topcook.runtime.journal.lock import read_pointer
from topcook.runtime.recorder import MemoryRecorder
from topcook.runtime.resume.memory import Memory
from topcook.runtime.statedir import journal_of

if TYPE_CHECKING:
    from topcook.runtime.graph import Graph
    from topcook.runtime.journal.keeping import KeptCook
    from topcook.runtime.resume.settings import Settings

__all__ = ["dry_memory", "last_cook", "last_journal", "past_of", "remember", "resumed"]

#: How much of a hash is told.
_HASH = 12


def last_cook(graph: Graph, network_file: str) -> str:
    """The id of the last cook of this network, to go on with; raises ``CookRefusedError`` when there is none."""
    identity = identity_of(graph, network_file)
    said = read_pointer(identity.pointer)
    if said is None or not said["journal"]:
        raise CookRefusedError(
            f'there is no cook of "{network_file}" to go on with: '
            + ("the last one kept no journal" if said is not None else f'nothing is noted in "{identity.pointer}"')
            + "\n    cook it from the start: leave --resume away"
        )
    cook = str(said["cook"])
    if not journal_of(cook):
        raise CookRefusedError(
            f'the journal of cook {cook}, "{said["journal"]}", is not there any more\n'
            "    cook it from the start: leave --resume away"
        )
    return cook


def last_journal(graph: Graph, network_file: str) -> str:
    """The journal of the last cook of this network, empty when there is none."""
    said = read_pointer(identity_of(graph, network_file).pointer)
    return str(said["journal"]) if said is not None else ""


def dry_memory(graph: Graph, network_file: str, how: Settings) -> Memory | None:
    """The memory of a cook that will not be: it holds no lock and leaves nothing. ``None`` when there is no past."""
    path = journal_of(how.cook or last_cook(graph, network_file)) if how.resume else last_journal(graph, network_file)
    if how.files == "off" or not os.path.isfile(path):
        return None
    return Memory(graph, MemoryRecorder(), past_of(path), how)


def resumed(graph: Graph, network_file: str, how: Settings) -> tuple[str, Past]:
    """The cook that goes on, by its id, and what it has done; raises ``CookRefusedError`` when it cannot go on."""
    cook = how.cook or last_cook(graph, network_file)
    past = past_of(journal_of(cook))
    if not how.accept_version:
        try:
            refuse_other_versions(graph, past)
        except CookRefusedError:
            past.close()
            raise
    return cook, past


def refuse_other_versions(graph: Graph, past: Past) -> None:
    """Raise ``CookRefusedError`` when a type that the cook used is another version now; ours may be."""
    changed = []
    for row in past.sessions[-1].facts.get("types", ()) if past.sessions else ():
        record = graph.types.find(Kind(row["kind"]), row["name"])
        if record is None or record.origin.tier is Tier.BUILTIN or not row["content_hash"]:
            continue
        if record.content_hash != row["content_hash"]:
            was, now = row["content_hash"][:_HASH], record.content_hash[:_HASH]
            changed.append(f'type "{record.name}" ({record.origin.path}) was version {was}, and is {now} now')
    if changed:
        raise CookRefusedError(
            f"cook {past.cook_id} does not go on with other types than it began with:\n    "
            + "\n    ".join(changed)
            + "\n    put the old version back, or go on with the new one: --accept-version"
        )


def past_of(path: str) -> Past:
    """What a journal knows; raises ``CookRefusedError`` when it cannot be read."""
    try:
        return Past.open(path)
    except RecorderError as error:
        more = "" if "\n" in str(error) else "\n    cook it from the start: leave --resume away"
        raise CookRefusedError(f"{error}{more}") from error


def remember(graph: Graph, kept: KeptCook, past: Past | None, how: Settings) -> Memory | None:
    """The memory of a cook that is kept: ``past`` where it goes on, else the last one's, as far as that can be read."""
    if not kept.journal:
        return None
    if past is None and how.files != "off" and kept.before:
        try:
            past = Past.open(kept.before[0])
        except RecorderError as error:
            kept.told.append(f"what the last cook did is not known: {error}")
    return Memory(graph, kept.recorder, past, how)
