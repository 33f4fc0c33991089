"""The consensus rules of the ledger: pure functions over bytes and integers.

Amounts are integer base units, hashes and wallet ids are 32 raw bytes; hex and Decimal exist only outside this package.
"""
