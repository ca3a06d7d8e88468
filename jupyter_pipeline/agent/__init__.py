"""From chat to typed requests and changes."""
