from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from mapserver.cache.entry import Entry, Made
from mapserver.cache.memory import Memory
from mapserver.versions import Line

MOST = 40_000
KEYS = st.sampled_from("abcdefgh")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 9000)),
        st.tuples(st.just("get"), KEYS, st.just(0)),
        st.tuples(st.just("encode"), KEYS, st.integers(1, 5000)),
    ),
    max_size=60,
)


def entry(size):
    return Entry(Made(b"x" * size, "text/plain"), "/", "1", "1", 0.0, Line(""), public=True)


@given(STEPS)
def test_no_more_bytes_are_kept_than_may_be_and_what_was_used_least_lately_goes(steps):
    memory, expected = Memory(MOST), OrderedDict()
    for number, (what, key, size) in enumerate(steps):
        if what == "put":
            expected.pop(key, None)
            made = entry(size)
            memory.put(key, made)
            if made.size <= MOST / 8:
                expected[key] = made
        elif what == "get":
            assert memory.get(key) is expected.get(key)
            if key in expected:
                expected.move_to_end(key)
        elif key in expected:
            memory.add_coding(key, expected[key], f"coding {number}", b"y" * size)
        while sum(one.size for one in expected.values()) > MOST:
            expected.popitem(last=False)
        assert memory.bytes == sum(one.size for one in expected.values()) <= MOST
        assert {key: memory._entries.get(key) for key in "abcdefgh"} == {
            key: expected.get(key) for key in "abcdefgh"
        }


def test_what_is_encoded_after_it_went_is_not_counted():
    memory, gone = Memory(MOST), entry(10)
    memory.add_coding("a", gone, "gzip", b"y")
    assert (memory.bytes, gone.coded["gzip"]) == (0, b"y")
