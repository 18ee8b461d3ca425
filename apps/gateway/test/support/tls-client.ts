import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";

/** A file of the certificates for tests: each signed by itself, for its name and one label below. */
export function certificateFile(name: string): string {
  return fileURLToPath(new URL(`../../../../packages/http/test/tls/${name}`, import.meta.url));
}

export function certificateText(name: string): string {
  return readFileSync(certificateFile(name), "utf8");
}

/** A connection to loopback after its handshake, whatever the certificate. Rejects when there is none. */
export async function shake(port: number, servername: string | undefined, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const named = servername === undefined ? {} : { servername };
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...named, ...options });
  await once(socket, "secureConnect");
  // Its own tests wait for what becomes of it.
  return socket.on("error", () => {});
}

/** Whether a connection comes about and stays: in TLS 1.3 a client hears of a refusal only afterwards. */
export async function isServed(port: number, servername: string | undefined, options: ConnectionOptions = {}): Promise<boolean> {
  try {
    const socket = await shake(port, servername, options);
    const { status } = await getOver(socket, servername ?? "localhost");
    socket.destroy();
    return status > 0;
  } catch {
    return false;
  }
}

/** The common name of the certificate that the server showed. */
export function nameShown(socket: TLSSocket): string {
  return /CN=(.*)/.exec(socket.getPeerX509Certificate()?.subject ?? "")?.[1] ?? "";
}

/** A GET on an open connection, which stays open. Rejects when the connection ends before the answer. */
export async function getOver(socket: TLSSocket, host: string, head = ""): Promise<{ readonly status: number; readonly body: string }> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${head}\r\n`);
  let text = "";
  for (;;) {
    const [chunk] = (await Promise.race([once(socket, "data"), once(socket, "close").then(() => [undefined])])) as [Buffer | undefined];
    if (chunk === undefined) throw new Error("the connection was closed");
    text += chunk.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const body = text.slice(end + 4);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (body.length >= length) return { status: Number(text.slice(9, 12)), body };
  }
}
