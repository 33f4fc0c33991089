"""A type is extended by a house above it."""

import pytest
import strawberry

from app.engine.declarations.extensions import extend, extension_of


@strawberry.type
class Notice:
    title: str


@extension_of(Notice)
class NoticeSubject:
    @strawberry.field
    def length(self, root: strawberry.Parent[Notice]) -> int:
        return len(root.title)


@strawberry.type
class Query:
    @strawberry.field
    def notice(self) -> Notice:
        return Notice(title="four")


def test_an_extension_s_fields_follow_the_type_s_own() -> None:
    for _ in range(2):
        extend(NoticeSubject)
    schema = strawberry.Schema(Query)
    assert "type Notice {\n  title: String!\n  length: Int!\n}" in schema.as_str()
    assert schema.execute_sync("{ notice { length title } }").data == {"notice": {"length": 4, "title": "four"}}


def test_an_extension_replaces_no_field() -> None:
    @extension_of(Notice)
    class Again:
        title: str

    with pytest.raises(ValueError, match="Notice has a field title already"):
        extend(Again)
