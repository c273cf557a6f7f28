"""Paths put in place of tokens in a command, so that a shell reads them as they are."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-~")


def is_plain(path: str) -> bool:
    """Whether a path stands for itself wherever it is put; one of Windows is left as it is."""
    return path[:1] != "/" or all(char in _PLAIN or (char >= "\x80" and char.isprintable()) for char in path)


def quoted(path: str, before: str) -> str:
    """The path as it is to be written behind ``before``, the command up to there: within its quotes, or without.

    Of a command within a command, ``sh -c '…'``, the outer one is read.
    """
    if is_plain(path):
        return path
    quote = _open_quote(before)
    if quote == "'":
        # A variable would be replaced before a shell sees its quotes.
        return path.replace("'", "'\\''").replace("$", "'\\$'")
    if quote == '"':
        return "".join("\\" + char if char in '"`$\\' else char for char in path)
    parts = ("'\n'" if char == "\n" else char if is_plain("/" + char) else "\\" + char for char in path)
    return "".join(parts)


def _open_quote(text: str) -> str:
    """The quote that is open at the end of a piece of a command, empty when none is."""
    quote = ""
    place = 0
    while place < len(text):
        char = text[place]
        if char == "\\" and quote != "'":
            place += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        place += 1
    return quote
