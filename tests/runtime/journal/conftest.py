"""Items without a cook, and a journal for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from topcook.testkit.journaldesk import JournalDesk


@pytest.fixture
def desk(tmp_path: Path) -> JournalDesk:
    return JournalDesk(tmp_path / "journal.sqlite")
