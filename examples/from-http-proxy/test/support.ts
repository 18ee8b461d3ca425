import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Listens on a free port until the test is over; gives the address. */
export async function listening(server: Server | SecureServer): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    if (server.listening) await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export const serving = (listener: RequestListener): Promise<string> => listening(createServer(listener));

export interface Seen {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A destination that answers with what it got, as JSON. */
export function echo(name = "echo"): Promise<string> {
  return serving(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += String(chunk);
    const { method, url, headers } = req;
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ name, method, url, headers, body }));
  });
}

export async function seen(url: string, init?: RequestInit): Promise<Seen> {
  return (await (await fetch(url, init)).json()) as Seen;
}
