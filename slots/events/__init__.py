"""Events: their days, slots, look and links; recipes that begin and end with them."""
