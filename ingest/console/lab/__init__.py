"""The console's pages of the lab."""
