"""A guild as a whole: its settings, access, status, retention and exports."""
