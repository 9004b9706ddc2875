import pytest

from layers.core.errors import BadSource
from tests.workshop import INCIDENTS, call

JANUARY = {"mode": "snapshot", "scope": {"since": "2025-01-01", "until": "2025-02-01"}}


def keys(town):
    return [row["source_key"] for row in town.rows("select source_key from onemap.incident order by 1")]


def test_a_snapshot_of_a_span_deletes_only_inside_it(town):
    town.load_calls(call(1), call(2), call(3, at="2024-12-31T23:59:59"), call(4, at="2025-02-01T00:00:00"))
    account = town.load_calls(call(1), **JANUARY).account
    assert (account.unchanged, account.deleted) == (1, 1)
    assert keys(town) == ["c1", "c3", "c4"]


def test_a_row_outside_the_stated_scope_is_refused(town):
    result = town.load_calls(call(1), call(2, at="2025-02-01T00:00:00"), **JANUARY)
    assert town.reasons(result.run_id) == {2: ["lies outside the scope that the source states"]}


def test_the_bounds_are_local_times_of_the_source_and_half_open(town):
    result = town.load_calls(call(1, at="2024-12-31T23:00:00Z"), call(2, at="2025-01-31T22:59:59Z"), **JANUARY)
    assert result.account.inserted == 2  # Berlin is an hour ahead


def test_a_snapshot_of_some_categories_leaves_the_others(town):
    town.load_calls(call(1, kind="noise"), call(2, kind="theft"), call(3, kind="noise"))
    account = town.load_calls(call(1), mode="snapshot", scope={"categories": ["noise"]}).account
    assert account.deleted == 1
    assert keys(town) == ["c1", "c2"]


def test_a_row_that_did_not_pass_is_not_missing(town):
    town.load_calls(call(1), call(2))
    account = town.load_calls(call(1, kind="?"), call(3), mode="snapshot").account
    assert (account.quarantined, account.deleted) == (1, 1)
    assert keys(town) == ["c1", "c3"]


def test_rows_that_their_content_identifies_and_that_did_not_pass_are_not_missing(town):
    keyless = {"key": [], "attributes": {"id": "id"}}
    town.load_calls(call(1), call(1), call(2), **keyless)
    unknown = {"category": {"noise": "unheard of"}}
    account = town.load_calls(call(1), call(1), mode="snapshot", values=unknown, **keyless).account
    assert (account.quarantined, account.deleted) == (2, 1)
    assert len(keys(town)) == 2


def test_a_key_with_a_number_sign_is_a_key_of_its_own(town):
    town.load_calls(call(1), call(1, id="c1#2"))
    account = town.load_calls(call(1, kind="?"), mode="snapshot").account
    assert (account.quarantined, account.deleted) == (1, 1)
    assert keys(town) == ["c1"]


def test_keys_that_contradict_themselves_are_not_missing(town):
    town.load_calls(call(1), call(2))
    account = town.load_calls(call(1), call(1, kind="theft"), call(3), mode="snapshot").account
    assert (account.quarantined, account.deleted) == (2, 1)
    assert keys(town) == ["c1", "c3"]


def test_what_lies_on_the_first_bound_is_inside_and_what_lies_on_the_last_is_not(town):
    town.load_calls(call(1), call(2, at="2025-01-01T00:00:00"), call(3, at="2025-02-01T00:00:00"))
    assert town.load_calls(call(1), **JANUARY).account.deleted == 1
    assert keys(town) == ["c1", "c3"]


def test_a_late_row_of_a_versioned_snapshot_does_not_delete_what_is_known(town):
    columns = INCIDENTS["columns"] | {"version": "changed"}
    town.load_calls(call(1, changed="5"), columns=columns, mode="snapshot")
    account = town.load_calls(call(1, changed="4", kind="theft"), columns=columns, mode="snapshot").account
    assert (account.superseded, account.deleted) == (1, 0)
    assert keys(town) == ["c1"]


@pytest.mark.parametrize("since", ["20250101", "2025-01-01T00", "2025-W01-1"])
def test_a_bound_that_would_be_read_as_none_is_refused(town, since):
    town.load_calls(call(1), call(2, at="2024-06-01T00:00:00"))
    with pytest.raises(BadSource, match=rf"scope\.since: '{since}' is not an ISO 8601 time"):
        town.load_calls(call(1), mode="snapshot", scope={"since": since})
    assert keys(town) == ["c1", "c2"]


def test_a_category_that_nobody_knows_is_not_said_to_lie_outside_the_scope(town):
    result = town.load_calls(call(1, kind="?"), call(2), mode="snapshot", scope={"categories": ["noise"]})
    assert town.reasons(result.run_id) == {1: ["category '?' is not known"]}
