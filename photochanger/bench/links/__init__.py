"""`--only links`: what a guest waits when booth, server and provider are joined by real links."""
