"""The servers of `testbed` do what the tests of the stack rely on."""

import pytest

from testbed.stack import Stack

pytestmark = pytest.mark.stack


def test_a_fresh_stack_is_empty(stack: Stack, stack_settings: dict[str, str]) -> None:
    assert stack_settings["NESSIE_URI"] == stack.nessie.uri
