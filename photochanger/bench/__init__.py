"""`make bench`: the product's overhead over a thin server, and what it holds while photos wait.

All servers of a comparison run side by side and take turns, so a ratio of one run means more
than any absolute figure of it.
"""
