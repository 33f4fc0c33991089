import json
from typing import Any

import pytest

from app.settings import Settings
from app.transport.messages import EVENT_STREAM, MULTIPART
from tests.transport.support import ORIGIN, ask, build, client_for, errors

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


async def post(body: bytes, **headers: str) -> Any:
    named = {"content-type": JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await client_for(build()).post("/graphql", content=body, headers=named)


async def test_a_post_is_answered_with_its_cost() -> None:
    response = await ask(client_for(build()), "{ hello }")
    assert response.status_code == 200
    assert response.json() == {
        "data": {"hello": "hello world"},
        "extensions": {"cost": {"requested": 1, "used": 1, "remaining": 19_999}},
    }
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON};q=0.9, {GRAPHQL};q=0.5", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        ("APPLICATION/JSON; charset=UTF-8", JSON),
    ],
)
async def test_the_answers_media_type_is_negotiated(accept: str | None, media_type: str) -> None:
    client = client_for(build())
    del client.headers["accept"]
    response = await ask(client, "{ hello }", **({"accept": accept} if accept else {}))
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("accept", ["image/png", "application/xml;q=0.5", f"{JSON};q=0", f"{JSON};charset=latin1"])
async def test_a_media_type_that_we_do_not_write_is_refused(accept: str) -> None:
    response = await ask(client_for(build()), "{ hello }", accept=accept)
    assert response.status_code == 406
    assert errors(response)[0][0] == "BAD_USER_INPUT"
    for name in (JSON, GRAPHQL, EVENT_STREAM, MULTIPART):
        assert name in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "as_graphql", "code"),
    [
        ("{ nothing }", 400, "BAD_USER_INPUT"),
        ("{ hello", 400, "BAD_USER_INPUT"),
        ("{ number(value: 9007199254740993) }", 400, "BAD_USER_INPUT"),
        ("subscription { count }", 400, "BAD_USER_INPUT"),
        ("{ down }", 503, "MAINTENANCE"),
        ("{ gone hello }", 200, "NOT_FOUND"),
        pytest.param("{ boom }", 200, "INTERNAL", marks=pytest.mark.plan_fails),
    ],
)
async def test_failures_have_their_code_and_status(query: str, as_graphql: int, code: str) -> None:
    client = client_for(build())
    response = await ask(client, query, accept=GRAPHQL)
    assert (response.status_code, errors(response)[0][0]) == (as_graphql, code)
    plain = await ask(client, query, accept=JSON)
    # A subscription is no operation that plain HTTP could answer at all.
    assert plain.status_code == (400 if "subscription" in query else 200)
    assert errors(plain) == errors(response)


@pytest.mark.plan_fails
async def test_a_detail_of_ours_never_leaves() -> None:
    response = await ask(client_for(build()), "{ boom }", x_request_id="the-request-id")
    assert "secret" not in response.text
    assert response.json()["errors"][0] == {
        "message": "Internal error.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["boom"],
        "extensions": {"code": "INTERNAL", "requestId": "the-request-id"},
    }


async def test_a_server_that_we_need_and_miss_is_a_reason_to_try_again() -> None:
    response = await ask(client_for(build()), "{ down }", accept=GRAPHQL)
    assert response.headers["retry-after"] == "1"
    unknowable = await ask(client_for(build()), "{ hello }", authorization="Bearer unknowable")
    assert (unknowable.status_code, errors(unknowable)[0][0]) == (503, "MAINTENANCE")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'[{"query": "{ hello }"}]',
        b'"{ hello }"',
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{ hello }"]}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": "x"}',
        b'{"query": "{ hello }", "operationName": {}}',
        b'{"query": "{ hello }", "extensions": 0}',
        b'{"query": "{ hello }"',
        b'{"query": "{ hello }"} trailing',
        b"\xff\xfe",
        b'{"query": "\xff"}',
        b'\xef\xbb\xbf{"query": "{ hello }"}',
        b'{"query": "{ hello }", "variables": {"a": "\\ud800"}}',
        b'{"query": "{ hello }", "variables": {"a": "\\u0000"}}',
        b'{"query": "{ hello }", "variables": {"a": NaN}}',
        b'{"query": "{ hello }", "variables": {"a": Infinity}}',
        b'{"query": "{ hello }", "variables": {"a": 1e400}}',
        b'{"query": "{ hello }", "variables": {"a": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ hello }", "query": "{ boom }"}',
        b'{"query": "{ hello }", "variables": {"a": 1, "\\u0061": 1, "a": 2}}',
        b'{"query": "{ hello }", "variables": {"a": {"b": 1, "b": 1}}}',
        b'{"query": "{ hello }", "variables": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 100_000,
        b'{"query": "' + b"{ hello " * 10_000 + b'"}',
    ],
)
async def test_malformed_requests_get_a_clear_400(body: bytes) -> None:
    response = await post(body, accept=GRAPHQL)
    assert response.status_code == 400
    ((code, message),) = errors(response)
    assert code in {"BAD_USER_INPUT", "COST_EXCEEDED"}
    assert message


async def test_batching_is_refused_by_name() -> None:
    assert "Batching" in errors(await post(b'[{"query": "{ hello }"}]'))[0][1]


async def test_a_key_in_a_string_is_no_key() -> None:
    body = json.dumps({"query": '{ hello(name: "\\"query\\": \\"x\\"") }', "variables": {"x": '{"a": 1, "a": 2}'}})
    response = await post(body.encode())
    assert response.json()["data"] == {"hello": 'hello "query": "x"'}


async def test_an_integer_beyond_what_json_numbers_keep_never_loses_its_digits() -> None:
    query = {"query": "query($v: Int!) { number(value: $v) }", "variables": {"v": 9007199254740993}}
    response = await post(json.dumps(query).encode())
    assert errors(response) == [
        (
            "BAD_USER_INPUT",
            "Variable '$v' has invalid value: Int cannot represent non 32-bit signed integer value: 9007199254740993",
        )
    ]


@pytest.mark.parametrize("value", [{"password": "hunter2"}, ["hunter2"], {"a": ["hunter2"]}])
async def test_a_refusal_quotes_no_object_and_no_list(value: object) -> None:
    query = {"query": "query($v: Int!) { number(value: $v) }", "variables": {"v": value}}
    [(code, message)] = errors(await post(json.dumps(query).encode()))
    assert (code, message) == (
        "BAD_USER_INPUT",
        "Variable '$v' has invalid value: Int cannot represent non-integer value",
    )


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ('application/json;charset="utf-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/graphql", 415),
        ("", 415),
    ],
)
async def test_only_json_in_utf_8_is_read(content_type: str, status: int) -> None:
    response = await post(b'{"query": "{ hello }"}', content_type=content_type)
    assert response.status_code == status


async def test_compressed_bodies_are_refused() -> None:
    response = await post(b'{"query": "{ hello }"}', content_encoding="gzip")
    assert response.status_code == 415
    assert errors(response) == [("BAD_USER_INPUT", "Compressed bodies are not accepted.")]


async def test_a_get_reads_its_query_string() -> None:
    client = client_for(build())
    parameters = {"query": "query A($n: String!) { hello(name: $n) } query B { hello }", "operationName": "A"}
    response = await client.get("/graphql", params={**parameters, "variables": '{"n": "get"}', "extensions": ""})
    assert response.json()["data"] == {"hello": "hello get"}


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "query=%7Bhello%7D&query=%7Bboom%7D",
        "query=%FF",
        "query=%7Bhello%7D&variables=%5B%5D",
        "query=%7Bhello%7D&variables=%7B",
        "query=%7Bhello%7D&variables=1",
        "&".join(f"x{index}=1" for index in range(30)),
    ],
)
async def test_a_malformed_query_string_gets_a_clear_400(query_string: str) -> None:
    response = await client_for(build()).get(f"/graphql?{query_string}")
    assert response.status_code == 400
    assert errors(response)[0][0] == "BAD_USER_INPUT"


async def test_a_get_changes_nothing() -> None:
    response = await client_for(build()).get("/graphql", params={"query": "mutation { login }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_are_not_allowed(method: str) -> None:
    response = await client_for(build()).request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_a_browser_that_comes_without_a_request_sees_a_page() -> None:
    response = await client_for(build()).get(
        "/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    )
    assert response.status_code == 503
    assert "make serve" in response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_strangers_learn_nothing_of_the_schema_in_production() -> None:
    settings = Settings(
        environment="production",
        secret_key="x" * 32,
        key_encryption_keys="k:" + "a" * 44,
        public_url=ORIGIN,
    )
    client = client_for(build(settings))
    assert errors(await ask(client, "{ __schema { types { name } } }"))[0][0] == "FORBIDDEN"
    assert errors(await ask(client, "{ helo }"))[0][1] == "Cannot query field 'helo' on type 'Query'."
    known = await ask(client, "{ __schema { queryType { name } } }", authorization="Bearer good.token")
    assert known.json()["data"] == {"__schema": {"queryType": {"name": "Query"}}}
    assert known.headers["strict-transport-security"].startswith("max-age=31536000")
