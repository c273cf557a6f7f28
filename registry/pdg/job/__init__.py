"""``pdg.job``: how jobs report."""
