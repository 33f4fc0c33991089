"""How documents are kept: while they are used, and never more of them than their bound in bytes."""

import gc
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from graphql import OperationDefinitionNode, Token

from app.engine.execution import documents as module
from app.engine.execution.breadth_first import plan
from app.engine.execution.documents import Document, Documents
from app.engine.execution.engine import Engine
from app.engine.execution.operations import Prepared
from app.main import build_graph
from app.schema.limits import build_limits
from app.settings import Settings
from bench.hostile import FAMILIES, splitting_places
from tests.engine.support import LIMITS, SCHEMA

GRAPH = build_graph()
REAL = build_limits(Settings(), tick_period_s=1.0)
MIB = 1024 * 1024


def tokens() -> int:
    """How many there are of any document."""
    return sum(isinstance(each, Token) for each in gc.get_objects())


def kept(documents: Documents, source: str) -> Document:
    found = documents.get(source, hide_suggestions=False)
    assert isinstance(found, Document), found
    return found


@contextmanager
def allocated() -> Iterator[Callable[[], int]]:
    """Returns the bytes that are held beyond those at the beginning."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield lambda: tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_the_least_recently_used_goes_first() -> None:
    size = Documents(SCHEMA._schema, LIMITS)
    kept(size, "{ number }")
    documents = Documents(SCHEMA._schema, LIMITS, limit_bytes=size.size_bytes * 5 // 2)
    first = kept(documents, "{ number }")
    kept(documents, "{ missing }")
    assert kept(documents, "{ number }") is first
    kept(documents, "{ invalid }")
    assert kept(documents, "{ number }") is first
    assert documents.find("{ missing }") is None
    assert isinstance(documents.get("{ wrong }", hide_suggestions=False), list)
    assert len(documents) == 2


def test_a_giant_is_answered_but_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", 10_000)
    documents = Documents(SCHEMA._schema, LIMITS)
    kept(documents, "{ " + " ".join(f"a{n}: number" for n in range(9)) + " }")
    assert (len(documents), documents.size_bytes) == (0, 0)


def test_no_document_of_the_default_limits_is_a_giant() -> None:
    assert REAL.tokens * module.TOKEN_BYTES < module.MAX_DOCUMENT_BYTES


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_document_takes_about_what_it_is_charged(family: Any) -> None:
    documents = Documents(GRAPH._schema, REAL)
    # What the schema keeps for itself is there then.
    documents.get(family(60), hide_suggestions=True)
    source, before = family(1200), documents.size_bytes
    with allocated() as taken:
        if not isinstance(documents.get(source, hide_suggestions=True), Document):
            return
        gc.collect()
        used = taken() + sys.getsizeof(source)
    charged = documents.size_bytes - before
    print(f"{family.__name__}: {used:,} bytes, charged {charged:,}")
    assert used <= charged <= 3 * used


@pytest.mark.parametrize("levels", [3, 6, 8])
def test_a_plan_takes_about_what_it_is_charged(levels: int) -> None:
    engine = Engine(GRAPH, REAL)
    documents = engine._documents
    prepared = engine.prepare(splitting_places(levels), None, None, introspection_allowed=True)
    assert isinstance(prepared, Prepared)
    assert prepared.plans is not None
    executor = engine._executor(prepared, None, None)  # type: ignore[arg-type]  # planning looks at no context
    plan(executor)
    before = documents.size_bytes
    with allocated() as taken:
        executor = engine._executor(prepared, None, None)  # type: ignore[arg-type]
        prepared.plans.append(plan(executor))
        del executor
        gc.collect()
        used = taken()
    charged = documents.size_bytes - before
    print(f"{levels} levels: {used:,} bytes, charged {charged:,}")
    assert used <= charged <= 3 * used


def test_what_is_found_out_later_is_charged_as_well() -> None:
    engine = Engine(GRAPH, REAL)
    documents = engine._documents
    source = "query($n: Int!) { blocks(first: $n) { nodes { height } } }"
    sizes: list[int] = []
    for first in range(1, module.MAX_KNOWN_COSTS + 20):
        engine.prepare(source, None, {"n": first}, introspection_allowed=True)
        sizes.append(documents.size_bytes)
    grown = sorted(set(sizes))
    assert len(grown) == module.MAX_KNOWN_COSTS
    assert {later - earlier for earlier, later in pairwise(grown)} == {module.COST_BYTES + module.SIZE_BYTES}
    engine.prepare("subscription { blocks { cursor } }", None, None, introspection_allowed=True)
    assert documents.size_bytes > sizes[-1] + module.KEY_BYTES


def test_what_is_found_out_of_a_document_that_went_is_not_charged() -> None:
    documents = Documents(GRAPH._schema, REAL, limit_bytes=100_000)
    (operation,) = kept(documents, "query($n: Int!) { blocks(first: $n) { nodes { height } } }").operations
    for number in range(100):
        kept(documents, f"{{ a{number}: __typename }}")
    before = documents.size_bytes
    assert operation.cost({"n": 5}, REAL) == 7
    assert documents.size_bytes == before


def test_hostile_documents_stay_within_the_bound_and_leave_nothing_behind() -> None:
    bound = 4 * MIB
    documents = Documents(GRAPH._schema, REAL, limit_bytes=bound)
    documents.get("{ chain { height } }", hide_suggestions=True)
    with allocated() as taken:
        for number in range(40):
            # Each of another family and size, so that none is known: 7 KB each, 700 KB as a tree.
            family = FAMILIES[number % len(FAMILIES)]
            source = f"# {number}\n{family(1000 + number)}"
            found = documents.get(source, hide_suggestions=True)
            if isinstance(found, Document):
                for operation in found.operations[:3]:
                    _ = operation.key
            del found
            gc.collect()
            assert documents.size_bytes <= bound
            assert taken() <= bound + MIB, number
    assert len(documents) > 3


def test_a_document_that_goes_is_freed_at_once() -> None:
    """Its tokens point at one another, and so would it and the callback of its growth."""
    documents = Documents(GRAPH._schema, REAL, limit_bytes=1)
    kept(documents, "{ chain { height } }")
    gc.collect()
    gc.disable()
    before = tokens()
    try:
        document = kept(documents, "query Mine { chain { height ...F } } fragment F on Chain { tip: height }")
        assert isinstance(document.operations[0].node, OperationDefinitionNode)
        node = weakref.ref(document.operations[0].node)
        assert tokens() > before + 10
        del document
        assert node() is None
        assert tokens() == before
    finally:
        gc.enable()


def test_several_threads_may_read() -> None:
    documents = Documents(GRAPH._schema, REAL, limit_bytes=300_000)
    sources = [f"{{ a{n % 7}: chain {{ height }} b{n}: __typename }}" for n in range(60)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda source: documents.get(source, hide_suggestions=True), sources * 3))
    assert all(isinstance(each, Document) for each in found)
    assert documents.size_bytes == sum(each.bytes for each in documents._known.values()) <= 300_000
