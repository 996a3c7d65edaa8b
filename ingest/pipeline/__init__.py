"""The path of one photo, from request to response: begin with ``process.py``."""
