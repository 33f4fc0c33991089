// A page of the chain, and a list within a node that pages by itself.
import { graphql } from "react-relay";

export const blocksQuery = graphql`
  query blocksQuery($count: Int!, $cursor: Cursor) {
    ...blocks_chain @arguments(count: $count, cursor: $cursor)
  }
`;

export const blocks = graphql`
  fragment blocks_chain on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "Cursor" })
  @refetchable(queryName: "blocksPaginationQuery") {
    blocks(first: $count, after: $cursor) @connection(key: "blocks_chain_blocks") {
      edges {
        node {
          id
          height
          ...blocks_block
        }
      }
    }
  }
`;

export const block = graphql`
  fragment blocks_block on Block
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "Cursor" })
  @refetchable(queryName: "blocksTransactionsPaginationQuery") {
    hash
    transactions(first: $count, after: $cursor) @connection(key: "blocks_block_transactions") {
      edges {
        node {
          id
          hash
        }
      }
    }
  }
`;
