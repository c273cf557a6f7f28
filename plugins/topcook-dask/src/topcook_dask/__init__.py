"""A scheduler for Dask clusters: ``daskscheduler`` in Topcook's menu."""
