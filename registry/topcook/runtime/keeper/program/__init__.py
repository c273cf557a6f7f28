"""The keeper's program: standard library only, run by ``main.py`` as a process of its own.

Nothing here imports ``topcook``: with ``-I -S`` there is none on the path, and the process has to be up in a few
milliseconds. The engine's side imports ``wire`` from here, so that both ends pack messages with the same code.
"""
