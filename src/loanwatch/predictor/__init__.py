"""The inference service: scores applications online and in batches, remembers what it decided, and says why."""

from loanwatch.predictor.options import ServeOptions, is_loopback
from loanwatch.predictor.tokens import Token, issue_token, list_tokens, revoke_token

__all__ = ["ServeOptions", "Token", "is_loopback", "issue_token", "list_tokens", "revoke_token"]
