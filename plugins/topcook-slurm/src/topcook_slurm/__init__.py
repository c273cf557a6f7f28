"""A scheduler for Slurm clusters: ``slurmscheduler`` in Topcook's menu."""
