"""Node's `Buffer`, as far as vendors' codecs read payloads by it: ChirpStack gives it to them.

What it does not know it refuses: a wrong reading would become a row. Source: Node.js documentation, Buffer. It is JavaScript over a `Uint8Array`, and reaches nothing outside of the script.
"""

BUFFER = """
globalThis.Buffer = class Buffer extends Uint8Array {
  static from(given, form) {
    if (typeof given !== "string") return super.from(given);
    if (form === "hex")
      return super.from(given.match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16));
    const text = Buffer.bytewise(form) ? given : unescape(encodeURIComponent(given));
    return super.from(text, (letter) => letter.charCodeAt(0));
  }
  static bytewise(form) {
    if (form === "latin1" || form === "ascii" || form === "binary") return true;
    if (form === undefined || form === "utf8" || form === "utf-8") return false;
    throw new TypeError("Unknown encoding: " + form);
  }
  static alloc(size) { return new Buffer(size); }
  static isBuffer(given) { return given instanceof Buffer; }
  static concat(parts) { return Buffer.from(parts.flatMap((part) => [...part])); }
  slice(begin, end) { return this.subarray(begin, end); }
  toString(form, begin, end) {
    const part = [...super.subarray(begin, end)];
    if (form === "hex") return part.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const text = part.map((byte) => String.fromCharCode(byte)).join("");
    if (Buffer.bytewise(form)) return text;
    try { return decodeURIComponent(escape(text)); } catch { return text; }
  }
  within(at, size) { if (!(at >= 0 && size >= 1 && size <= 6 && at + size <= this.length)) throw new RangeError("out of range"); }
  readUIntBE(at, size) { this.within(at, size); let n = 0; while (size--) n = n * 256 + this[at++]; return n; }
  readUIntLE(at, size) { this.within(at, size); let n = 0; while (size--) n = n * 256 + this[at + size]; return n; }
  readIntBE(at, size) { const n = this.readUIntBE(at, size), top = 256 ** size; return n < top / 2 ? n : n - top; }
  readIntLE(at, size) { const n = this.readUIntLE(at, size), top = 256 ** size; return n < top / 2 ? n : n - top; }
};
for (const name of ["Int8", "Uint8", "Int16", "Uint16", "Int32", "Uint32", "Float32", "Float64", "BigInt64", "BigUint64"])
  for (const end of name.endsWith("8") ? [""] : ["LE", "BE"]) {
    const read = function (at = 0) {
      return new DataView(this.buffer, this.byteOffset, this.length)["get" + name](at, end === "LE");
    };
    const said = name.replace("Float32", "Float").replace("Float64", "Double") + end;
    for (const word of [said, said.replace("Uint", "UInt")])
      Object.defineProperty(Buffer.prototype, "read" + word, {value: read, writable: true, configurable: true});
  }
"""
