"""What outlives a connection: remembered MQTT sessions and commands that wait for their device."""
