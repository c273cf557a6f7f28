"""``pdg.hda``: Houdini's asset tools; ``topcook save`` writes scheduler files here."""
