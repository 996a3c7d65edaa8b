"""gunicorn's workers and uvicorn's protocol: connections, heads, restarts, metrics."""
