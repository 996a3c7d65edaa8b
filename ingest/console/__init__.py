"""The console's pages of jobs, tests, costs, the lab, capture and the day before an event."""
