"""Where clients put their tokens."""

from typing import Any

import pytest

from app.kit.errors import Unauthenticated
from app.transport.credentials import PLACES, SCHEME, token_in, token_of
from app.transport.sockets.protocol import CloseCode, Closing


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer x"},
        {"Authorization": "Bearer x"},
        {"AUTHORIZATION": "bearer  x "},
        {"Authorization": "x"},
        {"token": "x"},
        {"token": "Bearer x"},
        {"accessToken": "x"},
        {"access_token": "x"},
        {"access-token": "x"},
        {"authToken": "x"},
        {"auth_token": "x"},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"authorization": "Bearer x"}},
        {"Headers": {"token": "x"}},
        {"context": {"headers": {"Authorization": "Bearer x"}}},
        {"context": {"authToken": "x"}},
        {"authorization": "Bearer x", "headers": {"Authorization": "x"}, "token": None},
        {"client": {"name": "web", "version": [1, 2]}, "authToken": "x"},
        {"authorization": "", "token": "x"},
    ],
)
def test_a_token_is_found_where_clients_put_it(payload: dict[str, Any]) -> None:
    assert token_in(payload) == "x"


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"headers": {}},
        {"headers": None},
        {"context": {"headers": {"apollographql-client-name": "web"}}},
        {"client": [{"name": "web"}]},
        {"jwt": ""},
        {"x": {"bearer": None, "apiKey": {}, "auth": []}},
        {"expiresAt": "2026-11-21T12:00:00Z", "expiresInS": 1},
    ],
)
def test_without_a_token_there_is_none(payload: dict[str, Any]) -> None:
    assert token_in(payload) is None


@pytest.mark.parametrize(
    "payload",
    [{"authorization": ""}, {"authorization": None}, {"Authorization": "Bearer "}, {"headers": {"token": ""}}],
)
def test_a_place_without_a_token_is_empty(payload: dict[str, Any]) -> None:
    assert token_in(payload) == ""


@pytest.mark.parametrize(
    "payload",
    [
        {"jwt": "x"},
        {"bearer": "x"},
        {"bearerToken": "x"},
        {"idToken": "x"},
        {"x-api-key": "x"},
        {"headers": {"X-Auth-Token": "x"}},
        {"auth": {"whatever": "x"}},
        {"Authentication": "Bearer x"},
        {"user": {"token": "x"}},
        {"user": {"headers": {"authorization": "Bearer x"}}},
        {"connections": [{"headers": [{"AUTHORIZATION": "x"}]}]},
        {"token": "x", "jwt": "y"},
    ],
)
def test_what_looks_like_a_token_elsewhere_is_never_passed_over(payload: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated) as caught:
        token_in(payload)
    assert caught.value.message == PLACES


@pytest.mark.parametrize("payload", [{"authorization": 7}, {"token": {}}, {"headers": {"authorization": ["Bearer x"]}}])
def test_a_token_is_text(payload: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="A token is text"):
        token_in(payload)


def test_two_tokens_that_differ_are_none() -> None:
    with pytest.raises(Unauthenticated, match="two tokens"):
        token_in({"token": "x", "headers": {"authorization": "Bearer y"}})


@pytest.mark.parametrize("authorization", ["Basic x", "Token x", "Bearer: x", "JWT x"])
def test_another_scheme_is_for_somebody_else(authorization: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        token_of(authorization)
    assert caught.value.message == SCHEME
    with pytest.raises(Unauthenticated) as caught:
        token_in({"authorization": authorization})
    assert caught.value.message == SCHEME


def test_a_payload_as_deep_as_may_be_read_is_looked_through() -> None:
    payload: dict[str, Any] = {"jwt": "x"}
    for _ in range(900):
        payload = {"a": [payload]}
    with pytest.raises(Unauthenticated):
        token_in(payload)


def test_the_reasons_fit_a_closing_frame() -> None:
    for reason in (PLACES, SCHEME):
        assert Closing(CloseCode.FORBIDDEN, reason).reason == reason
