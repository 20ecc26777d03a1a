"""The MQTT door: devices connect to us, and PUBACK means "on disk". A checkpoint, not a broker."""
