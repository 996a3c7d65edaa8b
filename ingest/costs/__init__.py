"""What each photo costs: prices by date, estimates before it, payments after it."""
