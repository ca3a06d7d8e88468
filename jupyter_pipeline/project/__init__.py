"""One project's truth: state and decisions (pure), the durable log, and the conductor that ties them."""
