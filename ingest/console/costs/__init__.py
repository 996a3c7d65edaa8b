"""The console's pages of costs, prices and budgets."""
