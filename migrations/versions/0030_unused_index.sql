-- Who moves credentials to another key-encryption key reads those of all others, which this index cannot find.
DROP INDEX exchange_credentials_kek_id;
