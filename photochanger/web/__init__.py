"""Django's side of all pages: middleware, log-in, lock-outs, tokens, error pages."""
