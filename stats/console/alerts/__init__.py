"""The console's pages of alerts and who gets them."""
