"""The Jupyter side: extension app, WebSocket, REST, access and limits."""
