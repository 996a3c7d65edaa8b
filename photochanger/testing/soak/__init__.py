"""`make soak`: booths post photos for minutes while things break, and a judge reads what is left.

``stage`` is the site with what can break, ``faults`` break it, ``booths`` post numbered photos and
write down each answer; ``judge`` compares these with the database, the files and the logs. It asks
them itself: nothing of the product is imported here.
"""
