"""Forwarders that speak the protocol of LoRa Basics Station."""
