/**
 * 200 reloads under load, each of which adds a destination and removes another, whose server goes for good as soon as the
 * proxy says that nothing is under way there. Whatever was sent is answered.
 */
import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { createEngineServer } from "@proxy/http";
import type { ProxyConfigInput } from "@proxy/config";
import { createReverseProxy } from "@proxy/pipeline";

const reloads = 200;
const clients = 12;
const sessionAffinity = { enabled: true, affinityKeyName: "session" };

interface Origin {
  readonly name: string;
  readonly server: Server;
  readonly address: string;
}

async function startOrigin(name: string): Promise<Origin> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    // Some answers take their time, so that there is always something under way.
    incoming.on("end", () => setTimeout(() => response.end(`${name} ${Buffer.concat(chunks).toString()}`), Number(incoming.headers["x-wait"])));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { name, server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function stop({ server }: Origin): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

it(`${reloads} reloads that add and remove destinations under load lose no request`, { timeout: 60_000 }, async () => {
  const origins = new Map<string, Origin>();
  const gone: Promise<void>[] = [];
  const add = async (number: number): Promise<void> => void origins.set(`d${number}`, await startOrigin(`d${number}`));
  const config = (): ProxyConfigInput => ({
    routes: { r: { clusterId: "c", match: { path: "/{**rest}" } } },
    clusters: { c: { sessionAffinity, destinations: Object.fromEntries([...origins].map(([id, { address }]) => [id, { address }])) } },
  });
  for (let i = 0; i < 3; i++) await add(i);
  const removed = new Map<string, Origin>();
  const proxy = await createReverseProxy({
    config: config(),
    drainListeners: [
      (_cluster, { id }, { kind, cause }) => {
        const origin = removed.get(id);
        if (kind === "drained" && cause === "removed" && origin !== undefined) gone.push(stop(origin));
      },
    ],
  });
  const server = createEngineServer({ handler: proxy.handle });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const over = new AbortController();
  const faults: string[] = [];
  let sent = 0;
  const ask = async (id: number, i: number, cookie: string): Promise<string> => {
    const body = i % 3 === 0 ? `body ${id} ${i}` : "";
    const outgoing = request({
      port,
      agent,
      host: "127.0.0.1",
      method: body === "" ? "GET" : "POST",
      headers: { "X-Wait": String((i * 7) % 20), ...(cookie === "" ? {} : { Cookie: cookie }) },
    });
    outgoing.end(body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of response.setEncoding("latin1")) text += chunk as string;
    if (response.statusCode !== 200 || !/^d\d+ /u.test(text) || !text.endsWith(` ${body}`)) faults.push(`${response.statusCode} ${text}`);
    return response.headers["set-cookie"]?.[0]?.split(";")[0] ?? cookie;
  };
  const client = async (id: number): Promise<void> => {
    let cookie = "";
    for (let i = 0; !over.signal.aborted; i++) {
      sent++;
      // Half of the clients have sessions, which move when their destination is gone.
      cookie = await ask(id, i, id % 2 === 0 ? cookie : "").catch((error: unknown) => (faults.push(String(error)), ""));
    }
  };
  const load = Promise.all(Array.from({ length: clients }, (_, id) => client(id)));
  for (let i = 0; i < reloads; i++) {
    await add(i + 3);
    const [id, origin] = [...origins][0] as [string, Origin];
    origins.delete(id);
    removed.set(id, origin);
    await proxy.update(config());
    const enough = sent + clients;
    await expect.poll(() => sent).toBeGreaterThanOrEqual(enough);
  }
  over.abort();
  await load;
  expect(faults).toEqual([]);
  expect(sent).toBeGreaterThan(reloads * clients);
  // Each destination that went was told to be gone, once, and its server has ended.
  await Promise.all(gone);
  expect(gone.length).toBe(reloads);
  expect([proxy.state.cluster("c")?.inFlight, proxy.state.cluster("c")?.destinations.all.map(({ inFlight }) => inFlight)]).toEqual([0, [0, 0, 0]]);
  agent.destroy();
  await server.close(1000);
  await proxy.close();
  await Promise.all([...origins.values()].map(stop));
});
