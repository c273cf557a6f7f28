"""``pdg.toplevel``: Houdini's top-level network; see ``pdg.GraphContext``."""
