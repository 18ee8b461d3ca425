/** Reads event streams; each event carries the time at which it was sent, by the clock that all processes share. */
import net from "node:net";
import { report } from "./report.mjs";

const [port, seconds, connections] = process.argv.slice(2).map(Number);
const latencies = [];
let errors = 0;
let counting = false;

function open() {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    let rest = "";
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      resolve(socket);
      rest += text;
      const end = rest.lastIndexOf("\n\n");
      if (end < 0) return;
      const now = Number(process.hrtime.bigint() / 1000n);
      for (const [, sent] of rest.slice(0, end).matchAll(/data: (\d+)/g)) if (counting) latencies.push((now - Number(sent)) / 1000);
      rest = rest.slice(end);
    });
    socket.on("error", reject).on("close", () => (errors += counting ? 1 : 0));
    socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
  });
}

const all = await Promise.all(Array.from({ length: connections }, open));
counting = true;
const since = performance.now();
setTimeout(() => {
  counting = false;
  report(latencies, performance.now() - since, errors);
  for (const socket of all) socket.destroy();
}, seconds * 1000);
