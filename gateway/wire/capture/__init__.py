"""Captured frames → the MQTT messages that passed by: link and network headers, TCP put in order, packets."""
