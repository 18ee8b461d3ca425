/** Accepts every WebSocket and sends each message of up to 125 bytes back. */
import { createHash } from "node:crypto";
import http from "node:http";

const server = http.createServer((_request, response) => response.end());
server.on("upgrade", (request, socket, head) => {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.setNoDelay(true);
  let pending = head;
  socket.on("error", () => {}).on("end", () => socket.end());
  socket.on("data", (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 6 + (pending[1] & 0x7f)) {
      const length = pending[1] & 0x7f;
      const frame = Buffer.allocUnsafe(2 + length);
      frame[0] = pending[0];
      frame[1] = length;
      for (let i = 0; i < length; i++) frame[2 + i] = pending[6 + i] ^ pending[2 + (i & 3)];
      pending = pending.subarray(6 + length);
      socket.write(frame);
    }
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
