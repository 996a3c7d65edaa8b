"""Whether this process is about to stop: it still serves, but front servers should turn away."""

import threading

is_leaving = threading.Event()
