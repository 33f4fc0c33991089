"""The currencies of prices and balances."""

from enum import StrEnum

from app.schema.enums import declare_enum


class Currency(StrEnum):
    """A currency, by its code in ISO 4217. More may be added."""

    AUD = "AUD"
    USD = "USD"


declare_enum(Currency, AUD="The Australian dollar.", USD="The United States dollar.")
