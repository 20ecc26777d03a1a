"""Nodes that speak true LoRaWAN, the air between, and forwarders that hand over what they hear."""
