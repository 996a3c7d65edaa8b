"""Which models a provider's key can use, as its last check listed them."""
