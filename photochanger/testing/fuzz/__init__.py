"""What outsiders send, made up by the thousand, against the functions that read it.

    .venv/bin/python -m photochanger.testing.fuzz --seconds 60 --seed 7 --only photos

Each target (``targets.py``) makes bytes up, hands them to the product's own functions in a process
of its own, and lets pass only the refusals that these document. Whatever else is raised, a case
that takes too long or too much memory, and a process that dies is a finding, kept with the bytes
that caused it. A case is made of seed, target and number alone, so any can be had again.

``api.py`` is of another kind: a foreign tool holds a running server to its own description.
"""
