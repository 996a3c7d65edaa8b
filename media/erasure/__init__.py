"""What guests delete stays deleted: an hour to undo it, and for ever through any restore."""
