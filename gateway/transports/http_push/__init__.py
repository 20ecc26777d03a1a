"""The door for network servers that push their documents by HTTP (webhooks)."""
