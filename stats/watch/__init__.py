"""``manage.py watch``: tells people when photos fail."""
