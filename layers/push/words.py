"""What news says to people: one line in the subscription's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from layers.cases.workflow import Workflow
from layers.catalog.city import City, Name

Language = Literal["zh", "en"]

WHAT = {
    "registered": Name(zh="新事项", en="New case"),
    "moved": Name(zh="办理进展", en="Moved"),
    "warn": Name(zh="即将到期", en="Due soon"),
    "overdue": Name(zh="已超期", en="Overdue"),
    "red": Name(zh="红灯督办", en="Long overdue"),
}


@dataclass(frozen=True)
class Words:
    """What a city calls its categories and states."""

    city: Name
    categories: Mapping[str, Name]
    states: Mapping[tuple[str, str], Name]

    @classmethod
    def of(cls, city: City, workflows: Mapping[str, Workflow]) -> Self:
        """Of a city whose cases follow these workflows."""
        states = {(flow.code, state.code): state.name for flow in workflows.values() for state in flow.states}
        return cls(city.name, {each.code: each.name for each in city.categories}, states)

    def category(self, content: Mapping[str, Any], language: Language) -> str:
        """The name of the category of some news."""
        return _said(self.categories.get(content["category"]), content["category"], language)

    def line(self, content: Mapping[str, Any], language: Language) -> str:
        """All that the news says, as far as its audience was told."""
        state = content.get("state")
        number = content.get("case")
        parts = [
            _said(WHAT.get(content["what"]), content["what"], language),
            self.category(content, language),
            None if number is None else f"#{number}",
            None
            if state is None
            else _said(self.states.get((content.get("workflow", ""), state)), state, language),
            content.get("area"),
            content.get("unit"),
            content.get("due_at"),
        ]
        return " · ".join(part for part in parts if part)


def _said(name: Name | None, code: str, language: Language) -> str:
    if name is None:
        return code
    return name.zh if language == "zh" else name.en
