"""What a back-test takes for granted, in words."""

from typing import Final

ASSUMPTIONS: Final = (
    "Within a candle the price goes from the open to the low, then to the high, then to the close: the extreme against"
    " what is held comes first. On the way it meets every price between, so that a stop triggers at its own price.",
    "Between two candles the price jumps: what is gapped over, by a stop as well, is filled at the next open or worse.",
    "A decision is made at the end of a candle, on candles that have ended, and its orders meet the next open.",
    "Orders are matched, rounded and charged as on the paper exchange, with the fees of your plan when you asked.",
    "Only the house trades with the bot: around each price, with the spread and depth that the volume and the"
    " volatility of the 24 hours before give. Nobody else takes its prices, and the bot does not move them.",
    "A take profit is filled at its own price once the house bids that; how long it would have waited behind others is"
    " not known.",
    "What is held at the end is worth the last close, without a fee; it is no round trip.",
    "What is compared with buys the token with all of the cash at the first open, with the spread and the fee, and"
    " holds it until the last close.",
)
