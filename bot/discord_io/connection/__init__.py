"""The connection: where Discord is, how long a request may take, invalid requests, and the time in its answers."""
