"""A slot's public gallery and slide show, in three modes: open, by secret address, closed."""
