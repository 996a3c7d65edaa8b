"""What stands before Django: limits of bodies and bandwidth, lanes, static files."""
