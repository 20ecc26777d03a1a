"""Where proofs come from: published pairs of a payload and its result, with the commit that holds them."""

DEVICES = "TheThingsNetwork/lorawan-devices@277e69a"
DEVICES_2022 = "TheThingsNetwork/lorawan-devices@369ca3e"
DEVICES_2025 = "TheThingsNetwork/lorawan-devices@5c12ba1"
PROFILES = "chirpstack/chirpstack-device-profiles@4cf8d34"
MILESIGHT = "Milesight-IoT/SensorDecoders@e79c9d8"
