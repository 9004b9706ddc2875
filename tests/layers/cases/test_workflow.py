import pytest

from layers.cases.workflow import Workflow, workflows
from layers.core.errors import BadCity

HEAD = 'code = "short"\nname = { zh = "短", en = "Short" }\nstart = "begun"\n'
STATES = "".join(
    f'[[states]]\ncode = "{code}"\nname = {{ zh = "{code}", en = "{code}" }}\n' for code in ("begun", "done")
)


def move(**keys: object) -> str:
    given = {"code": "end", "from": ["begun"], "to": "done", "by": ["dispatcher"]} | keys
    lines = "".join(
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n"
        for key, value in given.items()
    )
    return f'[[moves]]\nname = {{ zh = "办", en = "Do" }}\n{lines}'


def test_two_workflows_ship_with_the_states_of_the_closed_loop_and_of_mediation(tmp_path):
    found = workflows(tmp_path)
    assert [state.code for state in found["closed_loop"].states] == [
        "reported", "accepted", "triaged", "dispatched", "bounced", "arbitrated", "handling", "fed_back",
        "evaluated", "closed", "reopened",
    ]  # fmt: skip
    assert [state.code for state in found["mediation"].states] == [
        "received", "coordinated", "referred", "mediated", "confirmed", "followed_up",
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["closed_loop", "mediation"])
def test_from_every_open_state_some_way_leads_to_an_end(tmp_path, code):
    workflow = workflows(tmp_path)[code]
    ends = {state.code for state in workflow.states if not state.open}
    while more := {start for m in workflow.moves if m.to in ends for start in m.from_} - ends:
        ends |= more
    assert ends == {state.code for state in workflow.states}


def test_a_citys_own_workflow_comes_before_the_shipped_one_of_its_code(tmp_path):
    (tmp_path / "workflows").mkdir()
    text = HEAD.replace("short", "mediation") + STATES + move()
    (tmp_path / "workflows" / "ours.toml").write_text(text)
    found = workflows(tmp_path)
    assert set(found) == {"closed_loop", "mediation"}
    assert found["mediation"].start == "begun"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD + STATES + move(to="begun"), "no move leads to the state done"),
        (HEAD + STATES + move(to="gone"), "there is no state gone"),
        (HEAD + STATES + move() + move(), "a move stands twice"),
        (HEAD + STATES + STATES + move(), "a state stands twice"),
        (HEAD + STATES + move(by=["mayor"]), "moves.0.by.0"),
        (HEAD + STATES + move() + move(code="rest", clock="pause"), "pauses the clock and needs no reason"),
        (HEAD + STATES + move(bounces=True, clock="start"), "bounces a case and moves its clock"),
        (HEAD + STATES + move(elsewhere=True), "goes to another unit and needs none"),
        (HEAD + STATES + move(colour="red"), "colour"),
        ("code = ", "is not TOML"),
    ],
)
def test_a_workflow_that_cannot_be_followed_is_refused_by_name(text, why):
    with pytest.raises(BadCity, match=why):
        Workflow.parse(text, "short.toml")
