"""``pdg.feedback``: Houdini's feedback loops; Topcook has none."""
