/** Destinations that authenticate connections, as NTLM and Negotiate do: what one client proved is never another's. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { describeGateways } from "./doubles/gateway.ts";

/** Knows a client by its connection: whoever proved once who they are is known by all that comes on it. */
class ConnectionBoundDestination {
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  constructor() {
    const users = new WeakMap<Socket, string>();
    const challenged = new WeakSet<Socket>();
    this.#server = createServer(({ socket, headers }, response) => {
      this.sockets.add(socket);
      const [scheme = "", token = ""] = (headers.authorization ?? "").split(" ");
      const isProof = /^negotiate$/i.test(scheme) || (/^ntlm$/i.test(scheme) && challenged.has(socket));
      if (isProof) users.set(socket, token);
      const user = users.get(socket);
      if (user !== undefined) response.end(user);
      else if (/^ntlm$/i.test(scheme)) {
        challenged.add(socket);
        response.writeHead(401, { "WWW-Authenticate": "NTLM challenge", "Content-Length": 0 }).end();
      } else response.writeHead(401, { "WWW-Authenticate": ["Negotiate", "NTLM"], "Content-Length": 0 }).end();
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close().closeAllConnections();
  }
}

const destinations: ConnectionBoundDestination[] = [];
afterEach(() => {
  for (const each of destinations.splice(0)) each.close();
});

describeGateways("a connection on which a destination may know a client", (open) => {
  async function site() {
    const destination = new ConnectionBoundDestination();
    destinations.push(destination);
    const gateway = await open({ prefix: await destination.listen() });
    const client = async () => {
      const raw = await gateway.connect();
      /** Status, challenges and body. */
      return async (authorization?: string): Promise<string> => {
        raw.write(`GET / HTTP/1.1\r\nHost: a\r\n${authorization === undefined ? "" : `Authorization: ${authorization}\r\n`}\r\n`);
        const head = await raw.readUntil("\r\n\r\n");
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        const body = (await raw.readBytes(length)).toString();
        await gateway.outcome();
        const challenges = [...head.matchAll(/\r\nwww-authenticate: ([^\r]*)/gi)].map(([, value]) => value);
        return [head.slice(9, 12), ...challenges, body].filter((part) => part !== "").join(" ");
      };
    };
    return { destination, client };
  }

  test("serves nobody else afterwards", async () => {
    const { client, destination } = await site();
    const [alice, mallory] = [await client(), await client()];
    for (const authorization of ["Negotiate alice", "negotiate alice", "NEGOTIATE  alice"]) {
      expect(await alice(authorization)).toMatch(/^200/);
      expect(await mallory()).toBe("401 Negotiate NTLM");
      expect(await mallory("Basic bWFsbG9yeTp4")).toBe("401 Negotiate NTLM");
    }
    // The connection of those who proved nothing is shared as ever.
    const { size } = destination.sockets;
    expect(await alice()).toBe("401 Negotiate NTLM");
    expect(await mallory()).toBe("401 Negotiate NTLM");
    expect(destination.sockets.size).toBe(size);
  });

  test("carries no handshake of several steps: nobody is let in by it, neither who began it nor who comes between", async () => {
    const { client } = await site();
    const [alice, mallory] = [await client(), await client()];
    expect(await alice()).toBe("401 Negotiate NTLM");
    expect(await alice("NTLM hello")).toBe("401 NTLM challenge");
    expect(await mallory()).toBe("401 Negotiate NTLM");
    expect(await mallory("NTLM mallory")).toBe("401 NTLM challenge");
    expect(await alice("NTLM alice")).toBe("401 NTLM challenge");
    expect(await mallory()).toBe("401 Negotiate NTLM");
  });

  test("lets clients in that prove who they are with each request", async () => {
    const { client } = await site();
    const [alice, bob] = [await client(), await client()];
    expect([await alice("Negotiate alice"), await bob("Negotiate bob"), await alice("Negotiate alice")]).toEqual(["200 alice", "200 bob", "200 alice"]);
  });
});

test("other schemes leave connections to everybody", async () => {
  const { bindsConnection } = await import("../src/connection-bound.ts");
  const { HeaderList } = await import("@proxy/http");
  const binds = (...values: string[]): boolean => bindsConnection(HeaderList.from(values.map((value) => ["Authorization", value] as const)));
  for (const value of ["Negotiate x", "NTLM x", "ntlm", "Kerberos x", "Nego2 x", "CredSSP x", "Negotiate\tx", "NTLM,x"]) expect(binds(value), value).toBe(true);
  for (const value of ["Bearer Negotiate", "Basic x", "Negotiated x", "NTLM-2 x", "", "Digest x"]) expect(binds(value), value).toBe(false);
  expect([binds("Basic x", "NTLM y"), binds()]).toEqual([true, false]);
});
