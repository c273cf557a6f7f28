"""The directories of a scheduler, as seen from here (local) and from its farm (remote)."""

from __future__ import annotations

from topcook.lean import dataclass, field

#: Beside the status file of a submitted network: which job of its scheduler's engine cooks it.
JOB_NOTE = "job.json"


@dataclass(slots=True)
class Directories:
    """Working, temp and script directory in both views; data and log directory follow the temp directory.

    ``None`` means: derived (``<working>/pdgtemp/<cook>``, ``<temp>/scripts``).
    """

    working: tuple[str, str] = (".", ".")
    temp: tuple[str, str] | None = None
    script: tuple[str, str] | None = None
    cook: str = "0"
    made: set[str] = field(default_factory=set)
    #: The three settings for which all of them were made.
    made_for: tuple[object, ...] | None = None

    def working_dir(self, *, local: bool) -> str:
        """The working directory."""
        return self.working[0 if local else 1]

    def temp_dir(self, *, local: bool) -> str:
        """The cook's temp directory, ``<working>/pdgtemp/<cook>`` unless it was set."""
        if self.temp is not None:
            return self.temp[0 if local else 1]
        return _join(self.working_dir(local=local), f"pdgtemp/{self.cook}")

    def script_dir(self, *, local: bool) -> str:
        """Where job scripts are copied."""
        if self.script is not None:
            return self.script[0 if local else 1]
        return _join(self.temp_dir(local=local), "scripts")

    def data_dir(self, *, local: bool) -> str:
        """Where item data files are written."""
        return _join(self.temp_dir(local=local), "data")

    def log_dir(self, *, local: bool) -> str:
        """Where job logs are written."""
        return _join(self.temp_dir(local=local), "logs")


def _join(base: str, tail: str) -> str:
    # Forward slashes on purpose: a remote directory may be read by another operating system.
    return f"{base.rstrip('/')}/{tail}" if base != "/" else f"/{tail}"
