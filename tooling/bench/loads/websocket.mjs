/** Echoes over WebSocket connections: each sends one message of 64 bytes, waits for it to come back, and sends the next. */
import { randomBytes } from "node:crypto";
import net from "node:net";
import { report } from "./report.mjs";

const [port, seconds, connections] = process.argv.slice(2).map(Number);
const payload = 64;
const frame = Buffer.alloc(6 + payload, "x");
frame[0] = 0x82;
frame[1] = 0x80 | payload;
const back = 2 + payload;

const latencies = [];
let errors = 0;
let counting = true;

function open() {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    let started = 0;
    let got = 0;
    const next = () => {
      started = performance.now();
      socket.write(frame);
    };
    const onMessages = (chunk) => {
      got += chunk.length;
      if (got < back) return;
      got -= back;
      if (counting) latencies.push(performance.now() - started);
      next();
    };
    let head = "";
    const onHead = (chunk) => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      if (!head.startsWith("HTTP/1.1 101")) return reject(new Error(head));
      socket.off("data", onHead).on("data", onMessages);
      resolve({ socket, next });
    };
    socket.on("data", onHead).on("error", reject).on("close", () => (errors += counting ? 1 : 0));
    const key = randomBytes(16).toString("base64");
    socket.write(`GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`);
  });
}

const all = await Promise.all(Array.from({ length: connections }, open));
const since = performance.now();
for (const { next } of all) next();
setTimeout(() => {
  counting = false;
  report(latencies, performance.now() - since, errors);
  for (const { socket } of all) socket.destroy();
}, seconds * 1000);
