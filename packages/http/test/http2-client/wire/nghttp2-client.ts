/**
 * A process that asks Node's client what it makes of bytes from a destination: told `{ id, bytes }` (base64) it tells `{ id, answer }`, `status body`
 * or undefined when it does not take it for whole. Apart, since of some bytes nghttp2 ends its process by an assertion.
 */
import { once } from "node:events";
import { connect } from "node:http2";
import { createServer, type AddressInfo } from "node:net";

async function ask(bytes: Buffer): Promise<string | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    let asked = false;
    socket.on("data", (chunk: Buffer) => {
      // Something of stream 1: the head of the request.
      if (asked || !chunk.includes(Buffer.from([0, 0, 0, 1]))) return;
      asked = true;
      socket.end(bytes);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on("error", () => undefined);
  const stream = session.request({ ":path": "/" });
  let status: number | undefined;
  let body = "";
  let ended = false;
  stream.on("response", (fields) => (status = fields[":status"]));
  stream.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
  stream.on("end", () => (ended = stream.rstCode === 0 && !stream.aborted));
  stream.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    if (stream.destroyed) resolve();
    else stream.once("close", () => resolve());
  });
  session.destroy();
  server.close();
  return ended ? `${status} ${body}` : undefined;
}

process.on("message", ({ id, bytes }: { readonly id: number; readonly bytes: string }) => {
  void ask(Buffer.from(bytes, "base64")).then((answer) => process.send?.({ id, answer }));
});
