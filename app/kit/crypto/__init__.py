"""Secrets at rest and in flight: password hashes, tokens, sealed envelopes, RSA signatures."""
