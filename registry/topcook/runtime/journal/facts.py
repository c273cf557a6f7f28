"""What is written down of an item beside its steps: one row each, of which the last of a kind counts."""

from __future__ import annotations

from enum import IntEnum


class Fact(IntEnum):
    """The kinds, with what stands in the row's body."""

    #: JSON: all files of the item.
    OUTPUTS = 1
    #: JSON: files that came to those told before.
    MORE_OUTPUTS = 2
    #: JSON: attributes by name, merged into those told before.
    ATTRIBUTES = 3
    #: JSON: why it ended as it did.
    MESSAGES = 4
    #: JSON: the URIs of log and page.
    URIS = 5
    #: What its scheduler calls its job; empty as long as that of a new attempt has no name.
    JOB = 6
    #: What the item would do, as ``runtime/resume`` writes it.
    FINGERPRINT = 7
    #: JSON: an attempt that was followed by another one; each counts.
    EARLIER = 8
    #: JSON: a report on its way through its scheduler's own event methods; each counts.
    REPORTED = 9
    #: The oldest report on its way has come through; each counts.
    PASSED = 10
