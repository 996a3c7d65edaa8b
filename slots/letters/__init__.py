"""Pictures by e-mail to guests who ask for them."""
