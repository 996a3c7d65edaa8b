"""The console's pages of the mail server and guests' letters."""
