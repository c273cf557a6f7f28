"""The names Houdini's `pdg` module has; no logic lives here."""
