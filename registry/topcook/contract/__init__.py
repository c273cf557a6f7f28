"""What a scheduler or node type must be, and the base classes that Houdini's files derive from."""
