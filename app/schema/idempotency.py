"""The idempotency key of a mutation."""

IDEMPOTENCY_KEY = (
    "A key of 1 to 200 characters of the client's choice. For 7 days, a request with the same key and input returns the"
    " same result."
)
