"""The console's pages of events."""
