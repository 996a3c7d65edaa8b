"""Codes of an authenticator app at the log-in of administrators: optional."""
