/**
 * 60 reloads while requests keep coming. Each reload moves a route from one nginx server to the other and back, and
 * names the revision in a header that the gateway adds; a request may see the old or the new one, but never a mix,
 * never another cluster's answer, never an error.
 */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { describe, expect } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { configFolder } from "../support/config-file.ts";
import { startNginx } from "./nginx.ts";
import { testWith } from "./required-programs.ts";

const reloads = 60;
const clients = 8;

function configuration(revision: number, ports: readonly number[]): unknown {
  const [moving, still] = revision % 2 === 0 ? [ports[0], ports[2]] : [ports[1], ports[2]];
  return {
    ReverseProxy: {
      Routes: {
        moving: {
          ClusterId: "moving",
          Match: { Path: "/moving/{**rest}" },
          Transforms: [{ ResponseHeader: "X-Revision", Set: String(revision) }],
        },
        still: {
          ClusterId: "still",
          Match: { Path: "/still/{**rest}" },
          Transforms: [{ ResponseHeader: "X-Revision", Set: String(revision) }],
        },
        // Every other revision has a route more.
        ...(revision % 2 === 0 ? {} : { extra: { Match: { Path: "/extra" }, Respond: { Body: "extra" } } }),
      },
      Clusters: {
        moving: { Destinations: { d: { Address: `http://127.0.0.1:${moving}/` } } },
        still: { Destinations: { d: { Address: `http://127.0.0.1:${still}/` } } },
      },
    },
  };
}

describe("reloads under a steady load", () => {
  testWith(["nginx"], "60 of them lose and misroute nothing", async ({ nginx }) => {
    await using folder = await configFolder();
    await using origins = await startNginx(nginx!, ["even", "odd", "still"]);
    const file = await folder.write("gateway.json", configuration(0, origins.ports));
    await using gateway = startChild(["run", "--config", file, "--urls", "http://127.0.0.1:0"]);
    const [port] = await gateway.listening();
    const agent = new Agent({ keepAlive: true, maxSockets: clients });

    const over = new AbortController();
    let revision = 0;
    let sent = 0;
    const seen = new Set<number>();
    const faults: string[] = [];
    const client = async (id: number): Promise<void> => {
      for (let i = 0; !over.signal.aborted; i++) {
        const kind = (i + id) % 3 === 0 ? "still" : "moving";
        const target = `/${kind}/${id}/${i}`;
        const oldest = revision;
        sent += 1;
        try {
          const answer = await get(agent, port!, target, i % 4 === 0 ? `body ${i}` : undefined);
          const named = Number(answer.revision);
          const name = kind === "still" ? "still" : named % 2 === 0 ? "even" : "odd";
          if (answer.status !== 200 || answer.body !== `${name} ${answer.method} ${target}\n` || named < oldest) {
            faults.push(`${target}: ${JSON.stringify(answer)} at revision ${revision}`);
          }
          seen.add(named);
        } catch (error) {
          faults.push(`${target}: ${String(error)} at revision ${revision}`);
        }
        // A steady load, not the heaviest: each client rests a little between its requests.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const load = Promise.all(Array.from({ length: clients }, (_, id) => client(id)));
    for (let next = 1; next <= reloads; next++) {
      await folder.write("gateway.json", configuration(next, origins.ports));
      while (!seen.has(next) && faults.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      revision = next;
    }
    over.abort();
    await load;
    agent.destroy();
    expect(faults).toEqual([]);
    expect(seen.size).toBe(reloads + 1);
    expect(sent).toBeGreaterThan(reloads * clients);
    gateway.process.kill("SIGTERM");
    expect((await gateway.ended).code).toBe(0);
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly method: string;
  readonly revision: string | undefined;
  readonly body: string;
}

async function get(agent: Agent, port: number, path: string, body: string | undefined): Promise<Answer> {
  const method = body === undefined ? "GET" : "POST";
  const sending = request({ agent, port, host: "127.0.0.1", path, method });
  sending.end(body);
  const [response] = (await once(sending, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("latin1")) text += String(chunk);
  return { status: response.statusCode, method, revision: response.headers["x-revision"] as string | undefined, body: text };
}
