"""The console's pages of slots, settings, events, the library and templates."""
