"""The values of secret parms: fetched when they are first read, and kept out of all that is shown or written down."""

from __future__ import annotations

import json
import os
import re
import threading
import weakref
from typing import TYPE_CHECKING, Any

from topcook.errors import CookError
from topcook.model.secrets import MASK, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SHORTEST", "Vault", "redact", "redacted"]

#: A value shorter than this is not looked for in texts: it would be found in half of all words.
SHORTEST = 4
#: How long a command may take that prints a secret, in seconds.
COMMAND_TAKES = 60.0

_lock = threading.Lock()
#: The vaults that hold something; they leave with their graph.
_living: tuple[weakref.ref[Vault], ...] = ()


class Vault:
    """The secrets of one graph: each is fetched once, and its value is then known to ``redact``."""

    def __init__(self, environment: Callable[[], Mapping[str, str]]) -> None:
        """Nothing is fetched yet; ``environment`` gives what ``$VAR`` reads, ``HIP`` among it."""
        self._environment = environment
        self._values: dict[Secret, str] = {}
        self._texts: frozenset[str] = frozenset()
        #: Matches every text that must not be shown.
        self.pattern: re.Pattern[str] | None = None

    def reveal(self, secret: Secret) -> str:
        """The value; raises ``CookError`` when it cannot be had, which says where it was looked for."""
        known = self._values.get(secret)
        if known is None:
            known = self._values[secret] = secret.ref if secret.kind == "given" else self._fetch(secret)
            self.keep(known)
        return known

    def keep(self, value: str) -> None:
        """Know a value that must not be shown."""
        global _living  # noqa: PLW0603 - whoever writes a text knows no graph; the vaults are held weakly
        with _lock:
            self._texts |= {text for text in _spellings(value) if len(text) >= SHORTEST}
            if not self._texts:
                return
            self.pattern = re.compile("|".join(map(re.escape, sorted(self._texts, key=len, reverse=True))))
            living = [each for each in _living if each() is not None and each() is not self]
            _living = (*living, weakref.ref(self))

    def _fetch(self, secret: Secret) -> str:
        if secret.kind == "env":
            found = self._environment().get(secret.ref)
            if found is None:
                raise CookError(f'the environment variable "{secret.ref}" is not set\n    export {secret.ref}=…')
            return found
        if secret.kind == "file":
            return self._from_file(secret.ref)
        return self._from_command(secret.ref)

    def _from_file(self, path: str) -> str:
        full = os.path.join(self._environment().get("HIP", ""), os.path.expandvars(os.path.expanduser(path)))
        try:
            with open(full, encoding="utf-8") as stream:
                return _without_end(stream.read())
        except (OSError, UnicodeDecodeError) as error:
            raise CookError(f'the file "{full}" cannot be read: {getattr(error, "strerror", "") or error}') from None

    def _from_command(self, command: str) -> str:
        import subprocess

        env = dict(self._environment())
        try:
            done = subprocess.run(  # noqa: S602 - the network's own command line
                command,
                shell=True,
                cwd=env.get("HIP") or None,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=COMMAND_TAKES,
                check=False,
            )
        except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired) as error:
            raise CookError(f'the command "{command}" gives no value: {type(error).__name__}') from None
        if done.returncode:
            said = (done.stderr.strip().splitlines() or [""])[-1]
            raise CookError(f'the command "{command}" ended with status {done.returncode}: {said}')
        return _without_end(done.stdout)


def _without_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _spellings(value: str) -> set[str]:
    """The value, each of its lines, and all of them as JSON writes them."""
    plain = {value, *(line.strip() for line in value.splitlines())}
    return plain | {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in plain for ascii_only in (True, False)}


def redact(text: str) -> str:
    """``text`` with every secret that was read so far masked."""
    for each in _living:
        vault = each()
        if vault is not None and vault.pattern is not None:
            text = vault.pattern.sub(MASK, text)
    return text


def redacted(value: Any) -> Any:
    """Plain data with every text in it redacted; the very same object while there is no secret."""
    if not _living:
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redacted(key): redacted(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part) for part in value]
    return value
