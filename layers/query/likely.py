"""Conditions of which the planner knows nothing, and would take for ones that hardly any row meets."""

from sqlalchemy import Boolean, ColumnElement, false, func


def likely(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same condition, which the planner takes for one that nearly every row meets.

    It would else expect one row where thousands come, and look things up for each of them, or sort them. What it
    expects to be rare is that something worked out is null.
    """
    return func.nullif(condition, false(), type_=Boolean).is_not(None)
