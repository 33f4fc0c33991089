"""The memo: a line of text whose validity all nodes must agree on."""

import unicodedata

from app.domains.ledger.rules.encoding import MalformedEncoding

MAX_MEMO_BYTES = 256

# Unicode 3.2, frozen and shipped with every Python. The current tables grow with each Python release, and a character
# that composes on one node and is unknown on another would split the chain.
_UNICODE = unicodedata.ucd_3_2_0


def normalise_memo(text: str) -> str:
    """Returns `text` in normal form C, which the ledger requires."""
    return _UNICODE.normalize("NFC", text)


def memo_fault(memo: str) -> str | None:
    """Returns why `memo` is not allowed in a transaction, or None if it is."""
    try:
        length = len(memo.encode())
    except UnicodeEncodeError:
        return "the memo holds a lone surrogate"
    if length > MAX_MEMO_BYTES:
        return f"the memo takes {length} bytes, more than {MAX_MEMO_BYTES}"
    # Category Cc is closed by Unicode's stability policy, so the current table is safe here.
    if any(unicodedata.category(character) == "Cc" for character in memo):
        return "the memo holds a control character"
    if normalise_memo(memo) != memo:
        return "the memo is not in Unicode normal form C"
    return None


def decode_memo(raw: bytes, error: type[MalformedEncoding]) -> str:
    """Decodes strict UTF-8 bytes. Raises `error` for others. `memo_fault` checks the content."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise error("the memo is not UTF-8") from None
