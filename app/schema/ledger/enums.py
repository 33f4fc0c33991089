"""The ledger's enums, over the values that the domain stores."""

from enum import Enum

import strawberry


@strawberry.enum(description="Who holds a wallet's private key.")
class Custody(Enum):
    """Who holds a wallet's private key."""

    CUSTODIAL = strawberry.enum_value("custodial", description="Moneta, encrypted: `transfer` signs with it.")
    EXTERNAL = strawberry.enum_value("external", description="The owner alone: pay with `submitTransaction`.")


@strawberry.enum(description="Where a transaction stands.")
class TransactionStatus(Enum):
    """Where a transaction stands."""

    PENDING = strawberry.enum_value("pending", description="Accepted; waits in the mempool for a block.")
    CONFIRMED = strawberry.enum_value("confirmed", description="In a block.")
    FAILED = strawberry.enum_value(
        "failed", description="Never came into a block; what it meant to spend can be spent again."
    )


@strawberry.enum(description="Why a transaction that was signed elsewhere is refused.")
class Rejection(Enum):
    """Why a transaction that was signed elsewhere is refused."""

    MALFORMED = strawberry.enum_value("malformed", description="The bytes are not the encoding of a payment.")
    WRONG_NETWORK = strawberry.enum_value("wrong_network", description="It was made for another chain.")
    NOT_YOURS = strawberry.enum_value("not_yours", description="The sender or an input is not of the viewer's wallet.")
    BAD_SIGNATURE = strawberry.enum_value("bad_signature", description="The wallet's key did not sign these bytes.")
    OUTPUT_NOT_AVAILABLE = strawberry.enum_value(
        "output_not_available", description="An input does not exist, or is spent."
    )
    IMMATURE_COINBASE = strawberry.enum_value(
        "immature_coinbase", description="An input is a reward without enough confirmations."
    )
    UNCONFIRMED_INPUT = strawberry.enum_value(
        "unconfirmed_input", description="An input is an unconfirmed payment; only own change may be spent so early."
    )
    VALUE_NOT_CONSERVED = strawberry.enum_value(
        "value_not_conserved", description="Inputs differ from outputs plus fee."
    )
    NOT_ONE_RECIPIENT = strawberry.enum_value(
        "not_one_recipient", description="The outputs pay no other wallet, or several."
    )
    TIMESTAMP_OUT_OF_RANGE = strawberry.enum_value(
        "timestamp_out_of_range", description="The timestamp is over 24 hours old or over 2 hours ahead."
    )
