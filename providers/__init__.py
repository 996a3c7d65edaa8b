"""AI services: a package for each, and what their drivers share. No models, no Django ORM."""
