"""The console's pages of the recipe library."""
