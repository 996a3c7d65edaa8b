"""How often results are fetched: counted in memory, written later."""
