// A node that is fetched again by its id, a mutation's union of outcomes, and a subscription.
import { graphql } from "react-relay";

export const walletQuery = graphql`
  query walletQuery($id: ID!) {
    node(id: $id) {
      __typename
      ...wallet_wallet @alias(as: "wallet")
    }
  }
`;

export const wallet = graphql`
  fragment wallet_wallet on Wallet @refetchable(queryName: "walletRefetchQuery") {
    id
    walletId
    owner {
      displayName
    }
  }
`;

export const transfer = graphql`
  mutation walletTransferMutation($input: TransferInput!) {
    transfer(input: $input) {
      __typename
      ... on TransferPayload {
        transaction {
          id
          hash
        }
      }
      ... on Problem {
        message
      }
    }
  }
`;

export const blocks = graphql`
  subscription walletBlocksSubscription {
    blocks {
      block {
        id
        height
      }
    }
  }
`;
