"""Cooks on farms, beside what their engines do alone: ``python -m benchmarks.farms.slurm``."""
