"""Python clients: connection, the Pipeline object, inline display, finding the server, magics, command line."""
