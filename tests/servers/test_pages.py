"""Pages of a long list: together they are the list, and a cursor leads nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.errors import ToolError
from servers.pages import page


@given(st.lists(st.integers(), max_size=40), st.integers(1, 12))
def test_all_pages_together_are_the_list(items: list[int], size: int) -> None:
    seen, cursor, pages = list[int](), None, 0
    while True:
        part, cursor = page(items, cursor=cursor, size=size, about="things")
        seen += part
        pages += 1
        assert len(part) == size or cursor is None
        if cursor is None:
            break
    assert seen == items
    assert pages == max(1, -(-len(items) // size))


def test_a_cursor_of_another_list_leads_nowhere() -> None:
    _, cursor = page(range(9), cursor=None, size=3, about="red things")
    assert cursor is not None
    for wrong in (cursor, "", "nonsense"):
        with pytest.raises(ToolError, match="not valid for this list"):
            page(range(9), cursor=wrong, size=3, about="blue things")
