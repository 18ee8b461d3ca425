import { connect } from "node:net";

/** Sends `bytes` to a port on loopback and gives everything that came back before the connection ended; latin1. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    socket
      .setEncoding("latin1")
      .on("data", (text: string) => {
        received += text;
      })
      .on("end", () => {
        socket.end();
        resolve(received);
      })
      .on("error", reject);
  });
}

/** A GET that closes the connection; `head` is further header lines, each with its line break. */
export function getRaw(port: number, target: string, host = "shop.test", head = ""): Promise<string> {
  return sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${head}Connection: close\r\n\r\n`);
}

export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(response)?.[1]);
}

/** The body of a response with a Content-Length, or in one chunk. */
export function bodyOf(response: string): string {
  const start = response.indexOf("\r\n\r\n") + 4;
  const chunk = /^([0-9a-f]+)\r\n([^]*)\r\n0\r\n\r\n$/i.exec(response.slice(start));
  return /\r\ntransfer-encoding: chunked\r\n/i.test(response.slice(0, start)) && chunk !== null
    ? chunk[2]!
    : response.slice(start);
}
