"""A booth in software: sends what the real one sends, for the command, the demo and the tests."""
