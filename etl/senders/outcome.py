"""How an attempt to send ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Whether it was taken, and a word about it that names neither address nor secret.

    theirs : it was refused for what it says; others to the same address may pass.
    """

    sent: bool
    detail: str
    theirs: bool = False
