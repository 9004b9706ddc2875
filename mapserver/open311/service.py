"""Categories as services, and the questions of a category as a service definition."""

from typing import Any

from layers.catalog.city import Category, Question
from mapserver.open311.words import said


def service(category: Category, lang: str) -> dict[str, Any]:
    """One service of the list."""
    return {
        "service_code": category.code,
        "service_name": said(category.name, lang),
        "description": said(category.description or category.name, lang),
        "metadata": bool(category.questions),
        "type": "realtime",
        "keywords": ",".join(category.keywords),
        "group": said(category.group, lang) if category.group else "",
    }


def definition(category: Category, lang: str) -> dict[str, Any]:
    """What is asked of whoever reports something of a category."""
    attributes = [_attribute(question, order, lang) for order, question in enumerate(category.questions, 1)]
    return {"service_code": category.code, "attributes": attributes}


def _attribute(question: Question, order: int, lang: str) -> dict[str, Any]:
    values = [{"key": choice.key, "name": said(choice.name, lang)} for choice in question.values]
    return {
        "variable": True,
        "code": question.code,
        "datatype": question.datatype,
        "required": question.required,
        "datatype_description": "",
        "order": order,
        "description": said(question.name, lang),
        "values": values,
    }
