// A broker of npm `aedes` (MQTT 3.1.1) on a loopback port: node broker.mjs PORT
import { createServer } from "node:net";
import aedes from "aedes";

createServer(aedes().handle).listen(Number(process.argv[2]), "127.0.0.1");
