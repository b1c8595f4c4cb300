"""What the HTTP services share: one shape of errors, headers, bounds on what clients send, how often they may ask."""
