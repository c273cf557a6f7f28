"""Sibling imports as a package has them: ``import helper`` becomes ``from . import helper``."""

from __future__ import annotations

import ast
import codecs
import io
import tokenize
from collections.abc import Collection, Iterator

__all__ = ["made_relative"]


def made_relative(content: bytes, siblings: Collection[str], depth: int) -> tuple[bytes, list[int]]:
    """A source with its absolute imports of ``siblings`` made relative, and the lines that were changed.

    ``depth`` is how many packages below the common one the file lies. All else stays as it is, in the encoding that
    the source has. Raises ``SyntaxError`` for a source that cannot be parsed.
    """
    mark, body, encoding = _decoded(content)
    tree = ast.parse(body)
    # Columns count the bytes of UTF-8, whatever the source is written in.
    whole = body.encode()
    lines = whole.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    changed: list[int] = []
    dots = "." * (depth + 1)
    text = whole
    # From the end, so that the places before stay where they are.
    for node in sorted(_imports(tree), key=lambda each: (each.lineno, each.col_offset), reverse=True):
        new = _rewritten(node, siblings, dots)
        if new is None:
            continue
        assert node.end_lineno is not None  # noqa: S101 - ast gives every statement its end
        assert node.end_col_offset is not None  # noqa: S101
        begin, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        text = text[:begin] + new.encode() + text[end:]
        changed.append(node.lineno)
    return mark + text.decode().encode(encoding) if changed else content, sorted(changed)


def _decoded(content: bytes) -> tuple[bytes, str, str]:
    """The byte order mark, if there is one, the text behind it, and how that is encoded."""
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    # Lines end as compile has them end, also with a carriage return alone.
    lines = io.BytesIO(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    encoding = tokenize.detect_encoding(lines.readline)[0].removesuffix("-sig")
    try:
        return mark, content[len(mark) :].decode(encoding), encoding
    except ValueError as error:
        raise SyntaxError(f"{error}") from error


def _imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def _rewritten(node: ast.Import | ast.ImportFrom, siblings: Collection[str], dots: str) -> str | None:
    if isinstance(node, ast.ImportFrom):
        if node.level or node.module is None or node.module.partition(".")[0] not in siblings:
            return None
        return f"from {dots}{node.module} import {', '.join(_said(each) for each in node.names)}"
    if not any(each.name.partition(".")[0] in siblings for each in node.names):
        return None
    return "; ".join(part for each in node.names for part in _one(each, siblings, dots))


def _one(alias: ast.alias, siblings: Collection[str], dots: str) -> Iterator[str]:
    top, _, rest = alias.name.partition(".")
    if top not in siblings:
        yield f"import {_said(alias)}"
        return
    if not rest:
        yield f"from {dots} import {_said(alias)}"
        return
    parent, _, leaf = alias.name.rpartition(".")
    if alias.asname:
        yield f"from {dots}{parent} import {leaf} as {alias.asname}"
        return
    # `import helper.part` gives the name helper, and makes sure that helper.part is there.
    yield f"from {dots} import {top}"
    yield f"from {dots}{parent} import {leaf} as _{alias.name.replace('.', '_')}"


def _said(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name
