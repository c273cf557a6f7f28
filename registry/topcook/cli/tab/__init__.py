"""The TAB menu: a line of input, the types that fit it, and what is known of the one that is picked.

Who decides has no terminal: ``field``, ``match``, ``menu``, ``session`` take keys and say what is to be done; ``paint``
and ``pane`` make a picture of that. ``run`` and the terminals (``posix``, ``windows``) read keys and show the picture.
"""
