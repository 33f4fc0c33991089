"""For whom data is."""

from enum import StrEnum


class Audience(StrEnum):
    """The audience of data: it decides the row-level scope, and whether executions are shared and answers cached."""

    PUBLIC = "public"
    VIEWER = "viewer"
    TENANT = "tenant"
