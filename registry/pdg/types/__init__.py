"""``pdg.types``: types live in files that the factory finds, not in this package."""
