"""`make attack`: what a hostile network, booth or guest sends, and what good ones feel of it.

``strangers`` attack without a password, ``insiders`` with a booth's; ``witness`` is who is in the
right meanwhile: a booth, a monitor, and whoever weighs the server.
"""
