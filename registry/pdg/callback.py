"""``pdg.callback``: Houdini's callbacks of node types; the classes carry them here."""
