"""States of a key: whatever order they come in, the tables end the same, and every row is accounted for."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.db import connect
from tests.workshop import INCIDENTS, call

NUMBERS = count()
VERSIONED = {
    "columns": INCIDENTS["columns"] | {"version": "changed", "deleted": "gone"},
    "mode": "changes",
}


def state(key, version, kind="noise", gone="false", **changes):
    return call(0, id=key, kind=kind, changed=str(version), gone=gone, **changes)


def load(town, *rows, **changes):
    return town.load_calls(*rows, **VERSIONED | changes)


def present(town, source="calls"):
    return {
        row["source_key"]: (row["category"], row["version"])
        for row in town.rows("select source_key, category, version from onemap.incident where source = %s", source)
    }


states = st.builds(
    state,
    st.sampled_from(["a", "b"]),
    st.integers(1, 4),
    st.sampled_from(["noise", "theft"]),
    st.sampled_from(["true", "false"]),
)
batches = st.lists(st.lists(states, min_size=1, max_size=4), min_size=1, max_size=4)


def one_state_a_version(batch):
    """Two states of one version in one file contradict each other, wherever they stand; that is tested by itself."""
    return list({(row["id"], row["changed"]): row for row in batch}.values())


@given(batches.map(lambda found: [one_state_a_version(batch) for batch in found]), st.randoms())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_the_same_versioned_batches_ends_in_the_same_tables(town, found, random):
    shuffled = found[:]
    random.shuffle(shuffled)
    ends = []
    for order in (found, shuffled):
        source = f"source{next(NUMBERS)}"
        for batch in order:
            rows = batch[:]
            random.shuffle(rows)
            account = load(town, *rows, id=source).account
            assert account.balanced
            assert account.rows_read == len(rows)
        tombs = town.rows("select source_key, version from onemap.tombstone where source = %s order by 1", source)
        ends.append((present(town, source), tombs))
    assert ends[0] == ends[1]


def test_a_late_state_gives_way_to_a_later_one_and_is_counted(town):
    load(town, state("a", 5, "theft"))
    account = load(town, state("a", 3, "noise"), state("b", 1)).account
    assert (account.superseded, account.inserted) == (1, 1)
    assert present(town) == {"a": ("theft", 5), "b": ("noise", 1)}


def test_in_one_file_the_latest_state_counts_wherever_it_stands(town):
    account = load(town, state("a", 3, "theft"), state("a", 1), state("a", 2), mode="append",
                   columns=INCIDENTS["columns"] | {"version": "changed"}).account  # fmt: skip
    assert (account.inserted, account.superseded) == (1, 2)
    assert present(town) == {"a": ("theft", 3)}


def test_two_states_of_one_version_in_a_file_are_both_refused(town):
    result = load(town, state("a", 1, "noise"), state("a", 1, "theft"), state("a", 0))
    assert (result.account.quarantined, result.account.superseded) == (2, 1)
    assert town.reasons(result.run_id) == {
        row: ["key 'a' stands in rows 1, 2 with different content"] for row in (1, 2)
    }
    assert present(town) == {}
    excerpts = town.rows("select excerpt ->> 'category' as category from onemap.quarantine order by row_number")
    assert [row["category"] for row in excerpts] == ["noise", "theft"]


def test_a_tombstone_deletes_is_remembered_and_a_later_state_revives(town):
    load(town, state("a", 1))
    account = load(town, state("a", 2, gone="true", kind="", at="", lon="", lat="")).account
    assert (account.updated, account.deleted, account.rows_read, account.balanced) == (1, 1, 1, True)
    assert present(town) == {}
    assert load(town, state("a", 1)).account.superseded == 1
    assert present(town) == {}
    assert load(town, state("a", 3)).account.inserted == 1
    assert town.rows("select * from onemap.tombstone") == []
    assert town.rows("select category from onemap.incident_history") == [{"category": "noise"}]


def test_a_tombstone_of_an_unknown_key_changes_nothing_and_holds(town):
    account = load(town, state("a", 2, gone="true")).account
    assert (account.unchanged, account.deleted) == (1, 0)
    assert load(town, state("a", 1)).account.superseded == 1


def test_a_tombstone_without_a_version_deletes_and_is_not_remembered(town):
    columns = INCIDENTS["columns"] | {"deleted": "gone"}
    load(town, state("a", ""), columns=columns)
    assert load(town, state("a", "", gone="true"), columns=columns).account.deleted == 1
    assert load(town, state("a", ""), columns=columns).account.inserted == 1


def test_versions_may_be_times(town):
    load(town, state("a", "2025-01-02T00:00:00+08:00", "theft"))
    assert load(town, state("a", "2025-01-01T12:00:00", "noise")).account.superseded == 1
    assert present(town)["a"] == ("theft", 1735747200000000)


def test_a_version_that_cannot_be_read_is_told(town):
    result = load(town, state("a", "soon"), state("b", ""), state("c", 1))
    assert town.reasons(result.run_id) == {
        1: ["version 'soon' is neither a whole number nor a time"],
        2: ["version is missing"],
    }


def test_without_a_version_the_last_load_wins_and_says_so(town):
    town.load_calls(call(1))
    assert town.load_calls(call(1, kind="theft")).notes["last_load_wins"] == 1


def test_history_keeps_the_version_of_each_state(town):
    load(town, state("a", 1))
    load(town, state("a", 2))
    with connect(town.url) as connection:
        found = connection.execute("select version from onemap.incident_history").fetchall()
    assert found == [{"version": 1}]


def test_states_that_a_mended_declaration_reads_otherwise_are_brought_in_whichever_hash_is_greater(town):
    rows = [state(key, 1) for key in "abcdefgh"]
    load(town, *rows)
    mended = {"values": {"category": {"noise": "theft"}}}
    assert load(town, *rows, **mended).account.updated == 8
    assert load(town, *rows, **mended).account.unchanged == 8
    assert {category for category, _ in present(town).values()} == {"theft"}


def test_two_states_of_one_version_that_are_read_alike_are_one(town):
    account = load(town, state("a", 1, " noise"), state("a", 1, "noise")).account
    assert (account.inserted, account.superseded, account.quarantined) == (1, 1, 0)


def test_two_tombstones_of_one_version_say_the_same_whatever_else_they_hold(town):
    account = load(town, state("a", 1, gone="true"), state("a", 1, "?", gone="true", at="")).account
    assert (account.superseded, account.quarantined) == (1, 0)


def test_a_tombstone_beats_a_state_of_its_own_version_and_says_nothing_new_the_second_time(town):
    load(town, *[state(key, 1) for key in "abcdefgh"])
    tombs = [state(key, 1, gone="true") for key in "abcdefgh"]
    assert load(town, *tombs).account.deleted == 8
    account = load(town, *tombs).account
    assert (account.unchanged, account.superseded, account.deleted) == (8, 0, 0)


def test_versions_and_tombstones_are_those_of_their_source(town):
    load(town, state("a", 9), state("b", 9, gone="true"), id="other")
    assert load(town, state("a", 1), state("b", 1)).account.inserted == 2
    assert load(town, state("a", 2, gone="true")).account.deleted == 1
    assert present(town, "other") == {"a": ("noise", 9)}
    assert load(town, state("b", 1), id="other").account.superseded == 1


def test_with_a_version_no_load_wins_by_being_the_last(town):
    load(town, state("a", 1))
    result = load(town, state("a", 2))
    assert result.account.updated == 1
    assert "last_load_wins" not in result.notes
