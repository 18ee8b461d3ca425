import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createUnixCarrier, Delegator } from "@proxy/delegation";
import { createReceiver } from "@proxy/delegation/receiver";
import { createEngineServer } from "@proxy/http";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { missing } from "../../../../packages/httpsys/test/double.ts";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { createDelegator } from "../../src/proxy/delegation.ts";

let directory: string;
let socket: string;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "delegating-"));
  socket = join(directory, "s.sock");
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(directory, { recursive: true });
});

type Config = Parameters<ReverseProxy["update"]>[0];

function config(metadata: Record<string, string>, address = "http://target/"): Config {
  return {
    routes: { r: { clusterId: "c", match: { path: "{**all}" } } },
    clusters: { c: { destinations: { d: { address, metadata } }, healthCheck: { passive: { enabled: true, reactivationPeriod: 60_000 } } } },
  };
}

async function start(given: Config): Promise<{ port: number; proxy: ReverseProxy }> {
  const delegator = new Delegator({ carriers: [createUnixCarrier()] });
  const proxy = await createReverseProxy({ config: given, delegator });
  const server = createEngineServer({ handler: proxy.handle });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => proxy.close(), () => server.close(0));
  return { port, proxy };
}

describe("a destination that delegates over a socket", () => {
  it("is answered for by the other process, and its handle goes with the metadata", async () => {
    const receiver = await createReceiver({ path: socket, server: createServer((_request, response) => response.end("other")) });
    closers.push(() => receiver.close());
    const { port, proxy } = await start(config({ delegationsocket: socket }));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("other");
    const [destination] = proxy.state.cluster("c")!.destinations.all;
    expect(destination?.inFlight).toBe(0);
    expect(receiver.counts.received).toBe(1);
  });

  it("counts as failed for passive health while its process is missing", async () => {
    const { port, proxy } = await start(config({ DelegationSocket: socket }));
    const statuses = new Set<number>();
    for (let i = 0; i < 12; i++) statuses.add((await fetch(`http://127.0.0.1:${port}/`)).status);
    expect(statuses).toEqual(new Set([503]));
    const [destination] = proxy.state.cluster("c")!.destinations.all;
    expect({ health: destination?.passiveHealth, inFlight: destination?.inFlight }).toEqual({ health: "Unhealthy", inFlight: 0 });
  });
});

describe("delegation that cannot be had", () => {
  const refusal = async (metadata: Record<string, string>, delegator: Delegator | undefined): Promise<string> => {
    const opening = createReverseProxy({ config: config(metadata), delegator });
    return opening.then(async (proxy) => (await proxy.close(), "opened"), (error: Error) => error.message);
  };
  const gateway = (engine: "default" | "node"): Delegator =>
    createDelegator({ addresses: [{ protocols: "Http1", tls: undefined, proxyProtocol: false } as never], engine: engine as never, delegation: {} }, () => undefined);

  it("stops the start with its reason", async () => {
    expect(await refusal({ DelegationSocket: "/run/s" }, undefined)).toContain("destination 'd' of cluster 'c' asks by DelegationSocket for delegation, and nothing here delegates");
    expect(await refusal({ HttpSysDelegationQueue: "q" }, gateway("default"))).toContain("asks for delegation that cannot be had: this gateway does not serve from HTTP.sys");
    expect(await refusal({ DelegationSocket: "/run/s" }, gateway("node"))).toContain("only cleartext HTTP/1.1 connections");
    expect(await refusal({ DelegationSocket: "run/s" }, gateway("default"))).toContain("has a DelegationSocket that is not absolute");
    expect(await refusal({ DelegationSocket: "/run/s", DelegationMode: "often" }, gateway("default"))).toContain("has the DelegationMode 'often'");
    expect(await refusal({ DelegationSocket: "/run/s", HttpSysDelegationQueue: "q" }, gateway("default"))).toContain("has both");
  });

  it.skipIf(missing !== undefined)(`stops the start where HTTP.sys cannot delegate${missing === undefined ? "" : ` (left out: ${missing})`}`, async () => {
    const module = JSON.stringify(new URL("../../src/proxy/delegation.ts", import.meta.url).href);
    const settings = JSON.stringify({ engine: "HttpSys", httpSys: { libraryPath: buildDouble() } });
    const lackWith = async (without: string): Promise<string> => {
      const code = `console.log(String(await (await import(${module})).lackOfHttpSysDelegation(${settings})))`;
      const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@proxy/source", "--input-type=module", "--eval", code], { env: { ...process.env, HTTPSIM_WITHOUT_FEATURES: without } });
      return stdout.trim();
    };
    expect(await lackWith("")).toBe("undefined");
    const lack = await lackWith(",3,");
    expect(lack).toBe("HTTP.sys says that it does not support delegation");
    const delegator = createDelegator({ addresses: [], engine: "HttpSys", delegation: {} }, () => undefined, [], lack);
    expect(await refusal({ HttpSysDelegationQueue: "q" }, delegator)).toContain(`destination 'd' of cluster 'c' asks for delegation that cannot be had: ${lack}`);
  });
});
