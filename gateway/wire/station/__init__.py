"""The protocol between LoRa Basics Station and its server (LNS), version 2: one JSON object in each text frame."""
