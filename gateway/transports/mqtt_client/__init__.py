"""The client door: subscribes to a broker that is somebody else's, and acknowledges what is on disk."""
