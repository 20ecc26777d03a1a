// The npm package lora-packet, asked by lines of JSON; one answer a line, in order. Bytes are hex, identifiers and keys as people write them.
//   in:  {"do": "read" | "make", …data frame}   {"do": "request" | "accept" | "answer", …join}
//   out: what it makes of a frame, or the frame that it makes
import { createInterface } from "node:readline";
import lora from "lora-packet";

const bytes = (hex) => Buffer.from(hex ?? "", "hex");
const little = (number, size) => {
  const buffer = Buffer.alloc(size);
  buffer.writeUIntLE(number, 0, size);
  return buffer;
};

// What a MIC of 1.1 stands for besides; the package wants ConfFCnt big endian of uplinks, little endian of downlinks.
const heard = ({ is_1_1, up, conf_f_cnt, tx_dr, tx_ch }) => {
  if (!is_1_1) return undefined;
  if (!up) return little(conf_f_cnt, 2);
  return Buffer.concat([little(conf_f_cnt, 2).reverse(), Buffer.from([tx_dr, tx_ch])]);
};

const mic = (packet, asked) =>
  lora.calculateMIC(packet, bytes(asked.f), asked.is_1_1 ? bytes(asked.s) : undefined, little(asked.f_cnt >>> 16, 2), heard(asked));

const decrypted = (packet, asked) =>
  packet.FRMPayload.length === 0 ? Buffer.alloc(0) : lora.decrypt(packet, bytes(asked.app), bytes(asked.enc), little(asked.f_cnt >>> 16, 2));

const read = (asked) => {
  const packet = lora.fromWire(bytes(asked.phy));
  const payload = decrypted(packet, asked);
  const right = mic(packet, asked);
  const opts = asked.is_1_1 && packet.FOpts.length ? packet.decryptFOpts(bytes(asked.enc), undefined, little(asked.f_cnt >>> 16, 2)) : packet.FOpts;
  return {
    dev_addr: packet.DevAddr.toString("hex"),
    f_cnt: packet.getFCnt(),
    f_port: packet.getFPort(),
    ack: packet.getFCtrlACK(),
    adr: packet.getFCtrlADR(),
    mic: right.toString("hex"),
    payload: payload.toString("hex"),
    f_opts: opts.toString("hex"),
  };
};

const make = (asked) => {
  const packet = lora.fromFields({
    MType: asked.mtype,
    DevAddr: bytes(asked.dev_addr),
    FCnt: asked.f_cnt & 0xffff,
    FPort: asked.f_port ?? undefined,
    FOpts: bytes(asked.f_opts),
    FCtrl: { ACK: asked.ack, ADR: asked.adr },
    payload: bytes(asked.payload),
  });
  if (asked.is_1_1 && packet.FOpts.length) packet.encryptFOpts(bytes(asked.enc), undefined, little(asked.f_cnt >>> 16, 2));
  packet.FRMPayload = decrypted(packet, asked);
  packet._mergeGroupFields();
  lora.recalculateMIC(packet, bytes(asked.f), asked.is_1_1 ? bytes(asked.s) : undefined, little(asked.f_cnt >>> 16, 2), heard(asked));
  return { phy: packet.PHYPayload.toString("hex") };
};

const request = (asked) => {
  const root = bytes(asked.root);
  const theirs = lora.fromFields({ MType: "Join Request", AppEUI: bytes(asked.join_eui), DevEUI: bytes(asked.dev_eui), DevNonce: bytes(asked.dev_nonce) }, undefined, undefined, root);
  const ours = lora.fromWire(bytes(asked.phy));
  return {
    phy: theirs.PHYPayload.toString("hex"),
    mic: lora.calculateMIC(ours, undefined, root).toString("hex"),
    join_eui: ours.AppEUI.toString("hex"),
    dev_eui: ours.DevEUI.toString("hex"),
    dev_nonce: ours.DevNonce.toString("hex"),
  };
};

const hexed = (keys) => Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, key.toString("hex")]));

// An answer, decrypted and checked; the keys of both versions that come of it.
const accept = (asked) => {
  const root = bytes(asked.root);
  const app = bytes(asked.app_key);
  const plain = lora.fromWire(lora.decryptJoinAccept(lora.fromWire(bytes(asked.phy)), root));
  plain.JoinEUI = bytes(asked.join_eui);
  plain.DevNonce = bytes(asked.dev_nonce);
  const signs = lora.generateJSKeys(root, bytes(asked.dev_eui)).JSIntKey;
  const nonce = bytes(asked.dev_nonce);
  const keys = asked.is_1_1
    ? lora.generateSessionKeys11(app, root, bytes(asked.join_eui), plain.AppNonce, nonce)
    : lora.generateSessionKeys10(root, plain.NetID, plain.AppNonce, nonce);
  return {
    mic_ok: lora.verifyMIC(plain, signs, root),
    join_nonce: plain.AppNonce.toString("hex"),
    net_id: plain.NetID.toString("hex"),
    dev_addr: plain.DevAddr.toString("hex"),
    dl_settings: plain.DLSettings.toString("hex"),
    rx_delay: plain.RxDelay.toString("hex"),
    cf_list: plain.CFList.toString("hex"),
    keys: hexed(keys),
  };
};

// An answer made there.
const answer = (asked) => {
  const root = bytes(asked.root);
  const signs = lora.generateJSKeys(root, bytes(asked.dev_eui)).JSIntKey;
  const packet = lora.fromFields({
    MType: "Join Accept",
    AppNonce: bytes(asked.join_nonce),
    NetID: bytes(asked.net_id),
    DevAddr: bytes(asked.dev_addr),
    DLSettings: bytes(asked.dl_settings),
    RxDelay: asked.rx_delay,
    CFList: bytes(asked.cf_list),
    AppEUI: bytes(asked.join_eui),
    DevNonce: bytes(asked.dev_nonce),
  });
  packet.JoinEUI = bytes(asked.join_eui);
  lora.recalculateMIC(packet, signs, root);
  return { phy: Buffer.concat([packet.MHDR, lora.decryptJoin(packet, root)]).toString("hex") };
};

const verbs = { read, make, request, accept, answer };
createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(verbs[asked.do](asked))}\n`);
});
