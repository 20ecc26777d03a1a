"""MQTT 3.1.1 and 5 (OASIS Standards, 29 Oct 2014 and 7 Mar 2019), both directions, without I/O.

`framer` turns a byte stream into packets, `encode` makes bytes; `packets` are the values between;
`codes` and `properties` are the tables. Section numbers "§" are those of the MQTT 5 standard unless a
version is named.
"""
