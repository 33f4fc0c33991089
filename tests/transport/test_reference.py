import re

import pytest
from graphql import build_schema

from app.transport.reference import reference
from tests.sources import ROOT
from tests.transport.support import TOKEN, build, client_for
from tests.transport.test_pages import PRODUCTION

SDL = '''
"""Everything, and `more`."""
schema { query: Query }

type Query {
  """A list.

  It is <long>."""
  things("""How `many`.""" first: Int!, kind: Kind): [Thing!]!
}

"""One thing."""
type Thing implements Named { name: String! @deprecated(reason: "Use `title`.") }

interface Named { name: String! }

union Any = Thing

enum Kind { """Of the first kind.""" FIRST }

input Which @oneOf { id: ID name: Slug }

scalar Slug @specifiedBy(url: "https://example.com/slug")
'''


def test_it_shows_everything_that_is_described_and_escapes_it() -> None:
    shown = reference(build_schema(SDL))
    for text in (
        "<p>Everything, and <code>more</code>.</p>",
        "<p>A list.</p>\n<p>It is &lt;long&gt;.</p>",
        '<dt id="Query.things"><code>things: [<a href="#Thing">Thing</a>!]!</code></dt>',
        "<li><code>first: Int!</code> How <code>many</code>.</li>",
        '<li><code>kind: <a href="#Kind">Kind</a></code> </li>',
        '<p>Implements <a href="#Named">Named</a>.</p>',
        "<p>Deprecated: Use <code>title</code>.</p>",
        '<p>One of <a href="#Thing">Thing</a>.</p>',
        '<dt id="Kind.FIRST"><code>FIRST</code></dt><dd><p>Of the first kind.</p>',
        "<p>Exactly one of the fields must be given.</p>",
        '<a href="https://example.com/slug" rel="noreferrer">https://example.com/slug</a>',
    ):
        assert text in shown, text


def test_every_link_in_it_leads_to_something_and_every_type_is_there() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text())
    shown = reference(schema)
    anchors = re.findall(r' id="([^"]+)"', shown)
    assert len(anchors) == len(set(anchors))
    linked = set(re.findall(r'href="#([^"]+)"', shown))
    assert linked <= set(anchors)
    types = {name for name in schema.type_map if not name.startswith("__")}
    assert types <= set(anchors)


@pytest.mark.parametrize(
    ("path", "media_type", "texts"),
    [
        (
            "/docs",
            "text/html",
            (
                '<dt id="Query.hello">',
                '<h3 id="Greeted">Greeted</h3>\n<p>Exactly one of the fields must be given.</p>',
            ),
        ),
        ("/schema.graphql", "text/plain", ("type Query {", 'hello(name: String! = "world"): String!')),
    ],
)
async def test_the_schema_is_shown_to_those_who_may_introspect(
    path: str, media_type: str, texts: tuple[str, ...]
) -> None:
    shown = await client_for(build()).get(path)
    assert (shown.status_code, shown.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
    assert [text for text in texts if text not in shown.text] == []
    hidden = client_for(build(PRODUCTION))
    assert (await hidden.get(path)).status_code == 401
    seen = await hidden.get(path, headers={"authorization": f"Bearer {TOKEN}"})
    assert (seen.status_code, seen.text) == (200, shown.text)
