"""What runs inside a job: standard library only, Python 3.6 or newer."""
