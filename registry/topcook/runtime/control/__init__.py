"""Controlling cooks that run, from outside: which there are, how far they are, and telling them to wait or to end."""
