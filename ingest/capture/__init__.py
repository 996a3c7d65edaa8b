"""What the next requests of a booth look like, without a value of them."""
