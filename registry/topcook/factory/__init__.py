"""From files and distributions to a menu: find, execute, check and describe scheduler and node types."""
