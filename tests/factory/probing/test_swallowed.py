"""What is behind a missing name."""

from __future__ import annotations

import pytest

from topcook.factory.probing.swallowed import behind

PATH = "/types/farm.py"


def stumbled(text: str) -> BaseException:
    with pytest.raises(NameError) as caught:
        exec(compile(text, PATH, "exec"), {"__name__": "farm"})
    return behind(caught.value, text.encode(), PATH)


@pytest.mark.parametrize(
    "line", ["import no_such_farm", "import no_such.farm as no_such_farm", "from json import no_such_farm"]
)
def test_the_import_that_was_caught_is_told(line: str) -> None:
    cause = stumbled(f"try:\n    {line}\nexcept ImportError:\n    pass\nno_such_farm.connect()\n")
    assert isinstance(cause, ImportError)


@pytest.mark.parametrize(
    "text",
    [
        "no_such_farm.connect()\n",
        "import json\nno_such_farm.connect()\n",
        "try:\n    import json\nexcept ImportError:\n    pass\njson_too.loads('1')\n",
        # The second time there is nothing wrong with it.
        "try:\n    import json\n    del json\nexcept ImportError:\n    pass\njson.loads('1')\n",
    ],
)
def test_a_name_that_no_caught_import_gives_is_what_it_is(text: str) -> None:
    assert isinstance(stumbled(text), NameError)
