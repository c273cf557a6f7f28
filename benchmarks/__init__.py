"""How long things take, against the floor measured in the same round."""
