"""An event's figures, and its step of the purge."""
