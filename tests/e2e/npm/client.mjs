// One npm `mqtt` client, driven by lines of JSON.
//   in:  {"n": 1, "topic": "…", "payload": "…", "qos": 1}   publish      {"subscribe": "…"}      {"end": true}
//   out: {"connected": {"sessionPresent": true}}   {"acked": 1}   {"refused": 1, "reason": 153}
//        {"granted": [1]}   {"heard": "…", "dup": false}
import { createInterface } from "node:readline";
import mqtt from "mqtt";

const [port, username, password, clientId, protocolVersion] = process.argv.slice(2);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const client = mqtt.connect({
  host: "127.0.0.1",
  port: Number(port),
  username,
  password,
  clientId,
  protocolVersion: Number(protocolVersion),
  clean: false,
  properties: Number(protocolVersion) === 5 ? { sessionExpiryInterval: 3600 } : undefined,
  reconnectPeriod: 50,
  resubscribe: false,
});
client.on("connect", (connack) => say({ connected: { sessionPresent: connack.sessionPresent } }));
client.on("message", (_topic, payload, packet) => say({ heard: payload.toString(), dup: packet.dup }));
client.on("error", (error) => say({ error: String(error) }));

// Without a reason code it is the library's own refusal: it lost the connection before it kept the message.
// 0x92 answers a PUBREL after a restart of the other side; MQTT 5 (§3.7.2.1) calls it no error then.
const publish = (wanted) =>
  client.publish(wanted.topic, wanted.payload, { qos: wanted.qos }, (error) => {
    if (!error || error.code === 0x92) say({ acked: wanted.n });
    else if (error.code === undefined) setTimeout(publish, 50, wanted);
    else say({ refused: wanted.n, reason: error.code });
  });

for await (const line of createInterface({ input: process.stdin })) {
  const wanted = JSON.parse(line);
  if (wanted.end) {
    client.end(false, () => process.exit(0));
  } else if (wanted.subscribe) {
    client.subscribe(wanted.subscribe, { qos: 1 }, (_error, granted) =>
      say({ granted: granted.map((one) => one.qos) }),
    );
  } else {
    publish(wanted);
  }
}
