"""Pictures that wait for a helper's yes before guests see them: a link and a PIN."""
