"""How long tests wait."""

PATIENCE = 60.0
"""After so many seconds, what a test waits for hangs, however busy the machine is."""
