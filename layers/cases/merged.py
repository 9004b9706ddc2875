"""Which main case a reader may learn of: what is merged into a case is that case, and as secret as it."""

from sqlalchemy import ColumnElement, ScalarSelect, or_, select

from layers.schema.casebook import case_file
from layers.schema.tables import category


def plain(code: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a category is not sensitive."""
    return code.not_in(select(category.c.code).where(category.c.sensitive))


def main(*, with_sensitive: bool) -> ScalarSelect[int]:
    """The number of the case that one is merged into; none also where a reader may not see it."""
    own = case_file.alias()
    found = select(own.c.case_id).where(own.c.case_id == case_file.c.merged_into)
    return (found if with_sensitive else found.where(plain(own.c.category))).scalar_subquery()


def shown() -> ColumnElement[bool]:
    """Whether a case is there for those who may not see sensitive ones: neither it nor its main case is one."""
    known = main(with_sensitive=False)
    return plain(case_file.c.category) & or_(case_file.c.merged_into.is_(None), known.is_not(None))
