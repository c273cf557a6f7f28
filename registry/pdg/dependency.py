"""``pdg.dependency``: Houdini's dependency types; Topcook has none."""
