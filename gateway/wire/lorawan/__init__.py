"""LoRaWAN frames (1.0.2 to 1.0.4, and 1.1): bytes and keys in, parts out. No radio, no session, no clock."""
