"""Tell pictures that look safe for a public wall from those that somebody should see first."""
