"""Cases as service requests, as far as the one who asks may read them.

What has not ended is `open`; the state as the workflow knows it stands in `status_notes` and, with extensions, in
the notes. Whoever holds a report's token gets states and moments: no text, no place, and the token instead of a
number, which would tell how many came before and could be counted on from.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from layers.cases.intake import MOST_ASKED
from layers.cases.workflow import Actor, Workflow
from mapserver.open311.caller import Client
from mapserver.open311.words import merged, said

Request = dict[str, Any]


def of_case(client: Client, row: Mapping[str, Any], steps: Sequence[Mapping[str, Any]] | None) -> Request:
    """A case for one who reads cases; `steps` are its history where extensions are asked for."""
    workflow = client.desk.loop.workflow(row["workflow"])
    notes = said(workflow.state(row["state"]).name, client.lang)
    if row["merged_into"] is not None:
        notes = merged(client.lang, row["merged_into"])
    request = _request(client, row, str(row["case_id"]), notes) | {
        "description": row.get("report"),
        "agency_responsible": row["unit"],
        "lat": row["lat"],
        "long": row["lon"],
        "media_url": client.links.href(f"/cases/{row['case_id']}/photo") if row.get("photo") else None,
    }
    if steps is not None:
        request |= _extensions(client, workflow, row, steps)
        request["extended_attributes"]["merged_into"] = row["merged_into"]
        request["attributes"] = [
            {"code": code, "value": ",".join(value) if isinstance(value, list) else value}
            for code, value in row.get("answers", {}).items()
        ]
    return request


def of_token(client: Client, row: Mapping[str, Any], token: str, *, extensions: bool) -> Request:
    """A report for whoever holds its token."""
    workflow = client.desk.loop.workflow(row["workflow"])
    request = _request(client, row, token, said(workflow.state(row["state"]).name, client.lang))
    if extensions:
        request |= _extensions(client, workflow, row, row["steps"])
        can = not row["merged"] and row["asked"] < MOST_ASKED
        request["extended_attributes"] |= {
            "rating": row["rating"],
            "moves": [
                {"code": move.code, "name": said(move.name, client.lang), "needs": list(move.needs)}
                for move in workflow.moves_from(row["state"])
                if can and Actor.CITIZEN in move.by
            ],
        }
    return request


def _request(client: Client, row: Mapping[str, Any], number: str, notes: str) -> Request:
    names = {each.code: said(each.name, client.lang) for each in client.city.categories}
    return {
        "service_request_id": number,
        "status": "open" if row["is_open"] else "closed",
        "status_notes": notes,
        "service_name": names.get(row["category"], row["category"]),
        "service_code": row["category"],
        "description": None,
        "agency_responsible": None,
        "service_notice": None,
        "requested_datetime": row["reported_at"],
        "updated_datetime": row["updated_at"],
        "expected_datetime": row["due_at"],
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def _extensions(
    client: Client, workflow: Workflow, row: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]
) -> Request:
    staying = {move.code: move.name for move in workflow.moves if move.to is None}

    def note(at: object, kind: str, state: str, reason: str | None) -> Request:
        text = said(staying.get(kind) or workflow.state(state).name, client.lang)
        return {"datetime": at, "description": f"{text}: {reason}" if reason else text, "type": kind}

    told = [note(step["at"], step["move"], step["state"], step.get("reason")) for step in steps]
    return {
        "extended_attributes": {"state": row["state"], "state_since": row["entered_at"]},
        "attributes": [],
        "notes": [note(row["reported_at"], "reported", workflow.start, None), *told],
    }
