"""Which cook is meant: by its id, by the beginning of its id or of the last part of it, or by its network file."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator

from topcook.errors import CookRefusedError
from topcook.model.userdirs import resolved
from topcook.runtime.alive import Process
from topcook.runtime.control.card import read_card
from topcook.runtime.journal.glance import glance
from topcook.runtime.journal.lock import pointer_lives, read_pointer
from topcook.runtime.statedir import cook_ids, journal_of

__all__ = ["cook_named", "elsewhere_text", "network_of", "short_id"]

#: How many cooks are named to whoever asks for one that is not there, or means several.
_SHOWN = 5
#: Letters of the last part of an id that are shown where they are enough.
_SHORT = 7


def cook_named(text: str, *, running: bool = False) -> str:
    """The id of the cook of this user that is meant; of a network file the latest one.

    With ``running`` a network file means the one that runs, where any does. Raises ``CookRefusedError`` when there is
    none, or more than one.
    """
    ids = cook_ids()
    if text in ids:
        return text
    if "\0" not in text and (os.sep in text or text.endswith((".toml", ".json")) or os.path.isfile(text)):
        return _of_network(text, ids, running=running)
    found = [each for each in ids if text and (each.startswith(text) or each.rpartition("-")[2].startswith(text))]
    if len(found) == 1:
        return found[0]
    if found:
        raise CookRefusedError(f'"{text}" may be any of {len(found)} cooks; give more of it:{_listed(found)}')
    known = f"the latest that there are:{_listed(ids)}" if ids else "no cook has left one here"
    raise CookRefusedError(
        f'there is no cook "{text}" of yours on this machine\n    {known}\n    all of them: topcook cooks'
    )


def _of_network(path: str, ids: list[str], *, running: bool) -> str:
    whole = resolved(path)
    known = [each for each in ids if network_of(each) == whole]
    alive = [each for each in known if _runs(each)] if running else []
    if len(alive) > 1:
        raise CookRefusedError(f'{len(alive)} cooks of "{path}" run; say which:{_listed(alive)}')
    if known:
        return (alive or known)[0]
    other = next(_elsewhere(whole), None)
    if other is not None:
        raise CookRefusedError(other)
    raise CookRefusedError(
        f'there is no cook of "{path}" of yours on this machine\n    the cooks that there are: topcook cooks'
    )


def _runs(cook: str) -> bool:
    card = read_card(cook)
    return card is not None and card.process.is_alive()


def network_of(cook: str) -> str:
    """The path of a cook's network file, empty when it is not known."""
    card = read_card(cook)
    if card is not None:
        return card.network
    known = glance(journal_of(cook))
    return known.network if known is not None else ""


def _elsewhere(network: str) -> Iterator[str]:
    """What to say of cooks of a network that other machines run: they left word in the working directory."""
    stem = os.path.splitext(os.path.basename(network))[0]
    for path in glob.glob(
        os.path.join(glob.escape(os.path.dirname(network)), "pdgtemp", f"cook.{glob.escape(stem)}.*.json")
    ):
        said = read_pointer(path)
        if said is None or said["network"] != network or not pointer_lives(path, said):
            continue
        holder = Process.read(said["process"])
        if not holder.is_here():
            yield elsewhere_text(str(said["cook"]), holder)


def elsewhere_text(cook: str, holder: Process) -> str:
    """What to say of a cook on another machine."""
    return (
        f"cook {cook} runs on {holder.host} (process {holder.pid} of {holder.user}), and can be told there only\n"
        f"    ssh {holder.host} topcook cooks"
    )


def _listed(ids: list[str]) -> str:
    rows = [f"\n        {each}  {os.path.basename(network_of(each))}".rstrip() for each in ids[:_SHOWN]]
    more = f"\n        and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return "".join(rows) + more


def short_id(cook: str, ids: list[str]) -> str:
    """As much of the last part of an id as tells it from all others, seven letters at least; else all of it."""
    tail = cook.rpartition("-")[2]
    alike = [each for each in ids if each.startswith(tail) or each.rpartition("-")[2].startswith(tail)]
    return tail if len(tail) >= _SHORT and alike == [cook] else cook
