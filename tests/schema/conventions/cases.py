"""For each rule, what keeps its convention, and the nearest that breaks it."""

from typing import Final, NamedTuple


class Case(NamedTuple):
    """A schema that keeps a convention, and the nearest ones that break it, by what the rule says of them."""

    kept: str
    broken: dict[str, list[str]]


def thing(fields: str) -> str:
    return f"type Thing {{ {fields} }}"


def args(arguments: str) -> str:
    return f"type Thing {{ field({arguments}): ID }}"


def given(fields: str) -> str:
    return f"input ThingInput {{ {fields} }}"


MUTATION: Final = """
interface Problem { message: String! } type Wrong implements Problem { message: String! } type Right { message: String }
input DoThingInput { id: ID! } type DoThingPayload { ok: Int } union DoThingResult = DoThingPayload | Wrong
type Mutation { doThing(input: DoThingInput!): DoThingResult! }
"""
DELETION: Final = "type RemoveThingPayload { deletedId: ID! } type Mutation { removeThing: RemoveThingPayload }"
LOOKUP: Final = """
interface Node { id: ID! } type Thing implements Node { id: ID! } input ThingBy @oneOf { id: ID name: String }
type Query { thing(by: ThingBy!): Thing node(id: ID!): Node other(name: String!): Int }
"""
CONNECTION: Final = """
type PageInfo { a: Int } type TotalCount { a: Int } type Thing { a: Int }
type ThingEdge { cursor: Cursor! node: Thing! }
type ThingConnection { edges: [ThingEdge!]! nodes: [Thing!]! pageInfo: PageInfo! totalCount: TotalCount! }
"""
PAGED: Final = """
type ThingConnection { a: Int }
type Thing { things(first: Int, after: Cursor, last: Int, before: Cursor): ThingConnection other(first: Int): [Thing] }
"""
ORDERED: Final = """
type Thing { field(filter: ThingFilter, orderBy: ThingOrderBy): ID } enum ThingOrderByField { A }
enum OrderByDirection { A }
input ThingFilter { symbol: String minPriceUsd: Decimal since: DateTime tomorrow: Int }
input ThingOrderBy { field: ThingOrderByField! direction: OrderByDirection! }
"""
FILTERED: Final = """
"Filters things by all fields that are given. A field that is null or omitted matches all."
input ThingFilter { "The symbol." symbol: String }
"""
DESCRIBED: Final = '''
"""S""" schema { query: Q }
"""T""" type Q { """F""" f("""A""" a: E): Int } """E""" enum E { """V""" V } """I""" input I { """F""" f: Int }
'''
CASES: Final = {
    "durations": Case(
        thing("windowMs: Milliseconds")
        + given("cooldownMs: Milliseconds")
        + thing('daysNeeded: Int ticks: Int "How many days." age: Int').replace("Thing", "Other"),
        {
            thing("window: Milliseconds"): ["Thing.window"],
            thing("windowMs: Int"): ["Thing.windowMs"],
            thing("windowS: Float"): ["Thing.windowS"],
            thing("windowSeconds: Int"): ["Thing.windowSeconds"],
            thing("sessionTtl: Int"): ["Thing.sessionTtl"],
            thing('"The number of days." age: Float'): ["Thing.age"],
            thing('"The age in seconds." age: Decimal'): ["Thing.age"],
            given("windowMinutes: Int"): ["ThingInput.windowMinutes"],
            args("timeout: Int"): ["Thing.field(timeout:)"],
        },
    ),
    "rates": Case(
        thing('hashesPerSecond: Int tokensPerSocket: Int "How often." ticks: Int "In a second." at: String'),
        {
            thing("ticksPerS: Float"): ["Thing.ticksPerS"],
            thing("acceptsPerSPerAddress: Int"): ["Thing.acceptsPerSPerAddress"],
            thing("callsPerMinute: Int"): ["Thing.callsPerMinute"],
            thing('"The number of ticks in a second." ticks: Int'): ["Thing.ticks"],
        },
    ),
    "times": Case(
        thing("createdAt: DateTime at: DateTime") + given("since: DateTime until: DateTime expiresAt: DateTime"),
        {
            thing("created: DateTime"): ["Thing.created"],
            thing("timestamp: DateTime"): ["Thing.timestamp"],
            thing("createdAt: Int"): ["Thing.createdAt"],
            thing("since: DateTime"): ["Thing.since"],
            given("from: DateTime"): ["ThingInput.from"],
            given("since: Int"): ["ThingInput.since"],
            args("to: DateTime"): ["Thing.field(to:)"],
        },
    ),
    "percentages_and_fractions": Case(
        thing('"The change in percent." changePercentage24h: Float "0.5 is 50 percent." depthFraction: Float'),
        {
            thing('"The change in percent." change: Float'): ["Thing.change"],
            thing('"The change." changePercentage: Float'): ["Thing.changePercentage"],
            thing('"The change in percent." changePercentage: Decimal'): ["Thing.changePercentage"],
            thing("changePercent: Float"): ["Thing.changePercent"],
            thing('"The depth as a fraction." depth: Float'): ["Thing.depth"],
            thing('"The depth: 0.3 is 30 percent." depth: Float'): ["Thing.depth"],
            thing('"The depth in percent." depthPercentageFraction: Float'): ["Thing.depthPercentageFraction"],
        },
    ),
    "numbers_with_a_unit": Case(
        thing("sharpeRatio: Float changePercentage24h: Float beta: Float sentimentScore: Float ticksPerSecond: Float"),
        {thing("volatility: Float"): ["Thing.volatility"], given("weight: Float"): ["ThingInput.weight"]},
    ),
    "money_beside_its_currency": Case(
        thing('priceUsd: Decimal burnedCoins: Decimal "The amount in coins." amount: Decimal')
        + given("quoteCurrency: String limit: Decimal"),
        {
            thing("price: Decimal"): ["Thing.price"],
            thing('"The price in dollars." price: Decimal'): ["Thing.price"],
            given("usdLimit: Decimal"): ["ThingInput.usdLimit"],
            args("amount: Decimal"): ["Thing.field(amount:)"],
        },
    ),
    "booleans": Case(
        thing("isRead: Boolean hasFired: Boolean canPay: Boolean") + given("read: Boolean island: Boolean"),
        {
            thing("read: Boolean"): ["Thing.read"],
            thing("island: Boolean"): ["Thing.island"],
            given("isRead: Boolean"): ["ThingInput.isRead"],
            args("hasFired: Boolean"): ["Thing.field(hasFired:)"],
        },
    ),
    "ids": Case(
        thing("id: ID deletedId: ID walletId: Hash recipientWalletId: Hash grid: Int") + given("ids: [ID!] userId: ID"),
        {
            thing("user: ID"): ["Thing.user"],
            thing("userId: String"): ["Thing.userId"],
            thing("id: Int"): ["Thing.id"],
            thing("walletsId: Hash"): ["Thing.walletsId"],
        },
    ),
    "cases": Case(
        thing("one: Int plusDI: Int") + "enum E { A_1 }",
        {
            "type thing { a: Int }": ["thing"],
            "type My_Thing { a: Int }": ["My_Thing"],
            thing("One: Int"): ["Thing.One"],
            thing("my_field: Int"): ["Thing.my_field"],
            args("my_arg: Int"): ["Thing.field(my_arg:)"],
            "enum E { a }": ["E.a"],
            "enum E { aB }": ["E.aB"],
        },
    ),
    "reserved_words": Case(
        "type UserAccount { a: Int } type Subscription { a: Int } type StreamTransport { a: Int }",
        {
            "type User { a: Int }": ["User"],
            "enum Interval { A }": ["Interval"],
            "enum SubscriptionTier { A }": ["SubscriptionTier"],
            "type OpenSubscription { a: Int }": ["OpenSubscription"],
        },
    ),
    "one_type_for_one_notion": Case(
        "type A { name: String! node: Int cars: [C!] type: Int }"
        "type B { name: String node: A cars: CConnection type: C }"
        "type C { a: Int } type CConnection { a: Int } input I { name: Int } input J { name: Int! }",
        {
            "type A { rate: Float } type B { rate: Int }": ["A.rate", "B.rate"],
            "type A { cars: Int } type B { cars: [Int!]! }": ["A.cars", "B.cars"],
            "input I { rate: Float } input J { rate: Int }": ["I.rate", "J.rate"],
        },
    ),
    "no_required_field_with_a_default": Case(
        args("a: Int = 1, b: Int!, c: Int = null") + given("a: Int = 1 b: Int!"),
        {
            args("a: Int! = 1"): ["Thing.field(a:)"],
            given("a: Int! = 1"): ["ThingInput.a"],
            given("a: [Int!]! = []"): ["ThingInput.a"],
        },
    ),
    "patches": Case(
        "input UpdateThingInput { id: ID! name: String } input CreateThingInput { name: String = null }",
        {
            "input UpdateThingInput { name: String = null }": ["UpdateThingInput.name"],
            "input UpdateThingInput { name: Int = 1 }": ["UpdateThingInput.name"],
        },
    ),
    "changed_object": Case(
        "input UpdateThingInput { id: ID! ownerId: ID } input CreateThingInput { ownerId: ID! }"
        "input MarkThingsInput { ids: [ID!]! } input UpdateProfileInput { name: String }"
        "input CancelAllThingsInput { ownerId: ID! }",
        {
            "input UpdateThingInput { thingId: ID! }": ["UpdateThingInput.thingId"],
            "input RevokeThingInput { sessionId: ID! name: String }": ["RevokeThingInput.sessionId"],
            "input CancelAllyInput { ownerId: ID! }": ["CancelAllyInput.ownerId"],
        },
    ),
    "mutations": Case(
        f"{MUTATION} extend type Mutation {{ stop: StopResult! }}"
        "type StopPayload { a: Int } union StopResult = StopPayload ",
        {
            MUTATION.replace("input: DoThingInput!", "thing: DoThingInput!"): ["Mutation.doThing"],
            MUTATION.replace("input: DoThingInput!", "input: DoThingInput"): ["Mutation.doThing"],
            MUTATION.replace("input: DoThingInput!", "input: DoThingInput!, more: Int"): ["Mutation.doThing"],
            MUTATION.replace("DoThingInput", "ThingInput"): ["Mutation.doThing"],
            MUTATION.replace("DoThingPayload", "DoneThing"): ["Mutation.doThing"],
            MUTATION.replace("DoThingPayload | Wrong", "DoThingPayload | Right"): ["Mutation.doThing"],
            MUTATION.replace("DoThingPayload | Wrong", "Wrong | DoThingPayload"): ["Mutation.doThing"],
            MUTATION.replace("): DoThingResult!", "): DoThingResult"): ["Mutation.doThing"],
            MUTATION.replace("): DoThingResult!", "): DoThingPayload!"): ["Mutation.doThing"],
        },
    ),
    "lookups": Case(
        LOOKUP,
        {
            LOOKUP.replace("by: ThingBy!", "id: ID!"): ["Query.thing"],
            LOOKUP.replace("by: ThingBy!", "id: ID, name: String"): ["Query.thing"],
            LOOKUP.replace("by: ThingBy!", "by: ThingBy"): ["Query.thing"],
            LOOKUP.replace("by: ThingBy!", "by: ThingBy!, name: String"): ["Query.thing"],
            LOOKUP.replace("by: ThingBy!", "which: ThingBy!"): ["Query.thing", "Query.thing(which:)"],
            LOOKUP.replace(" @oneOf", ""): ["ThingBy"],
            LOOKUP.replace("ThingBy", "OrderBy").replace("thing(", "order(").replace(" @oneOf", ""): ["OrderBy"],
            LOOKUP.replace("other(name: String!)", "other(by: String!)"): ["Query.other(by:)"],
        },
    ),
    "deletions": Case(
        DELETION,
        {
            DELETION.replace("deletedId: ID!", "deletedId: ID"): ["Mutation.removeThing"],
            DELETION.replace("deletedId", "removedId"): ["Mutation.removeThing", "RemoveThingPayload.removedId"],
            DELETION.replace("ID!", "ID! thingId: ID"): ["RemoveThingPayload.thingId"],
        },
    ),
    "connections": Case(
        CONNECTION,
        {
            CONNECTION.replace("ThingConnection", "Things"): ["Things"],
            CONNECTION.replace("nodes: [Thing!]!", "nodes: [Thing]!"): ["ThingConnection"],
            CONNECTION.replace("totalCount: TotalCount!", "totalCount: Int!"): ["ThingConnection"],
            CONNECTION.replace("node: Thing!", "node: Thing"): ["ThingEdge"],
        },
    ),
    "described": Case(
        DESCRIBED,
        {
            DESCRIBED.replace(f'"""{each}"""', "", 1): found
            for each, found in (
                ("S", ["schema"]), ("T", ["Q"]), ("F", ["Q.f"]), ("A", ["Q.f(a:)"]), ("V", ["E.V"]), ("I", ["I"]),
            )
        },
    ),
    "pages": Case(
        PAGED,
        {
            PAGED.replace("last: Int, before: Cursor", "last: Int"): ["Thing.things"],
            PAGED.replace("first: Int", "first: Int = 20").replace("last: Int", "limit: Int"): ["Thing.things"],
            PAGED.replace("first: Int", "first: Int!"): ["Thing.things"],
        },
    ),
    "hashes": Case(
        given("hash: Hash parentHash: Hash walletId: Hash minerWalletId: Hash") + args("hash: Hash"),
        {
            given("sender: Hash"): ["ThingInput.sender"],
            given("wallet: Hash"): ["ThingInput.wallet"],
            given("transactionId: Hash"): ["ThingInput.transactionId"],
            args("by: Hash"): ["Thing.field(by:)"],
        },
    ),
    "filters_and_orders": Case(
        ORDERED,
        {
            ORDERED.replace("filter:", "where:"): ["Thing.field(where:)"],
            ORDERED.replace("orderBy:", "sort:"): ["Thing.field(sort:)"],
            ORDERED.replace("ThingFilter", "ThingChoice"): ["Thing.field(filter:)"],
            ORDERED.replace("minPriceUsd", "minimumPriceUsd"): ["ThingFilter.minimumPriceUsd"],
            ORDERED.replace("since", "publishedAfter"): ["ThingFilter.publishedAfter"],
            ORDERED.replace("symbol: String", "symbol: String!"): ["ThingFilter.symbol"],
            ORDERED.replace("symbol: String", "search: String"): ["ThingFilter.search"],
            ORDERED.replace("OrderByDirection!", "OrderByDirection"): ["ThingOrderBy"],
            ORDERED.replace("ThingOrderByField", "ThingKey"): ["ThingOrderBy"],
            ORDERED.replace("ThingOrderBy", "OrderBy"): ["Thing.field(orderBy:)"],
        },
    ),
    "wording_of_filters": Case(
        FILTERED,
        {
            FILTERED.replace(" by all fields that are given", ""): ["ThingFilter"],
            FILTERED.replace("Filters", "Selects"): ["ThingFilter"],
            FILTERED.replace("matches all", "matches all things"): ["ThingFilter"],
            FILTERED.replace("The symbol.", "The symbol. Null: any."): ["ThingFilter.symbol"],
        },
    ),
    "specified_scalars": Case(
        'scalar A @specifiedBy(url: "https://example.com/a") scalar B @specifiedBy(url: "/docs/scalars#B")',
        {"scalar A": ["A"], 'scalar A @specifiedBy(url: "")': ["A"]},
    ),
}  # fmt: skip
