"""Forwarders that speak Semtech's UDP protocol."""
