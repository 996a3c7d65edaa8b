"""Services that take over when a slot's first one fails."""
