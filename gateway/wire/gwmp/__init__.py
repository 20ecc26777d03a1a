"""Semtech's UDP protocol between forwarders and servers."""
