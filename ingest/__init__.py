"""Photos in, pictures out: the path of one photo, its jobs, what was refused, tests and the lab."""
