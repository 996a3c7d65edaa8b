"""The console's pages of statistics, events and alerts."""
