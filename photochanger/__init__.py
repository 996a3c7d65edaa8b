"""The floor that every app may import, and Django's own: settings, addresses, entry points."""
