"""`make figures`: measures how readable the house is, so that its figures stay true.

Development code: the product never imports it. `photochanger/tests/test_figures.py` holds the
figures that are cheap to measure against their bars.
"""
