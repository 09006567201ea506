"""How a cell of the table fails: with words, and without stopping the others."""

TAIL_LINES = 15


class CellFailed(Exception):
    """What was to be measured did not start, did not answer or died; with what it printed."""


def tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-TAIL_LINES:])
