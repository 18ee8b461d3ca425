/** What an operator sees of requests that are handed over, in a whole gateway: as `docs/delegation.md` says. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReceiver, type DelegationReceiver } from "@proxy/delegation/receiver";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
// @boundaries-ignore a client of bytes, and a target that takes nothing
import { Client, turnsUntil } from "../../../../packages/delegation/test/delegating-gateway.ts";
// @boundaries-ignore a client of bytes, and a target that takes nothing
import { startFalseTarget } from "../../../../packages/delegation/test/false-target.ts";
import { configFolder, type ConfigFolder } from "../support/config-file.ts";
import { startGateway, type RunningGateway } from "../support/running-gateway.ts";

type Line = Readonly<Record<string, unknown>>;

let directory: string;
let socket: string;
const closers: (() => unknown)[] = [];
/** Ends answers to `/later`. */
let end: () => void = () => undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "delegating-"));
  socket = join(directory, "target.sock");
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(directory, { recursive: true });
});

async function startReceiver(): Promise<DelegationReceiver> {
  const server = createServer((request, response) => {
    if (request.url !== "/later") return void response.end(`answer to ${request.url}\n`);
    response.writeHead(203, { "Content-Length": 12 }).write("begun\n");
    end = () => response.end("ended\n");
  });
  const receiver = await createReceiver({ path: socket, server });
  closers.push(() => {
    server.closeAllConnections();
    return receiver.close();
  });
  return receiver;
}

const accessLog = "access.log";

async function start(folder: ConfigFolder, mode: string, format: "Json" | "Combined", more: object = {}): Promise<RunningGateway> {
  const file = await folder.write("gateway.json", {
    Server: { AccessLog: { Path: `${folder.path}/${accessLog}`, Format: format }, ...more },
    ReverseProxy: {
      Routes: { r: { ClusterId: "c", Match: { Path: "{**all}" } } },
      Clusters: { c: { Destinations: { d: { Address: "http://target/", Metadata: { DelegationSocket: socket, DelegationMode: mode } } } } },
    },
  });
  return startGateway([file], { logLevel: "Debug" });
}

async function linesOf(folder: ConfigFolder): Promise<string[]> {
  const text = await readFile(`${folder.path}/${accessLog}`, "latin1").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

async function entriesOf(folder: ConfigFolder): Promise<Line[]> {
  return (await linesOf(folder)).map((line) => JSON.parse(line) as Line);
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
}

const handedOver = { method: "GET", host: "a.test", route: "r", cluster: "c", destination: "d", remoteAddress: "127.0.0.1", delegated: true };

describe.each([["perRequest", ["/one", "/two", "/three"]], ["sticky", ["/one"]]] as const)("of three requests of a connection in mode %s", (mode, seen) => {
  it(`the access log tells ${seen.join(", ")}: to whom they went, and neither status nor error`, async () => {
    await using folder = await configFolder();
    const receiver = await startReceiver();
    {
      await using gateway = await start(folder, mode, "Json");
      const client = await Client.open(gateway.port);
      for (const path of ["/one", "/two", "/three"]) {
        client.send(get(path));
        await client.until(`answer to ${path}\n`);
      }
      await expect.poll(() => gateway.log.filter(({ event }) => event === "request-delegated"), { timeout: 20_000 }).toMatchObject(seen.map(() => ({ level: "debug", route: "r", cluster: "c", destination: "d" })));
      client.close();
    }
    expect(receiver.counts.received).toBe(seen.length);
    const entries = await entriesOf(folder);
    expect(entries).toMatchObject(seen.map((target) => ({ ...handedOver, target })));
    for (const entry of entries) expect([entry["status"], entry["error"], entry["attempts"], typeof entry["durationMs"]]).toEqual([undefined, undefined, undefined, "number"]);
  });

  it("the combined format has a destination, and a dash for status and error", async () => {
    await using folder = await configFolder();
    await startReceiver();
    {
      await using gateway = await start(folder, mode, "Combined");
      const client = await Client.open(gateway.port);
      client.send(get("/one"));
      await client.until("answer to /one\n");
      client.close();
    }
    expect(await linesOf(folder)).toEqual([expect.stringMatching(/^127\.0\.0\.1 - - \[[^\]]+\] "GET \/one HTTP\/1\.1" - - "-" "-" [\d.]+ "a\.test" "r" "c" "d" -$/)]);
  });

  it("the entry is written when the other process has the request, and the gateway counts nothing while that answers", async () => {
    await using folder = await configFolder();
    await startReceiver();
    await using gateway = await start(folder, mode, "Json");
    const client = await Client.open(gateway.port);
    client.send(get("/later"));
    await client.until("begun\n");
    await expect.poll(() => entriesOf(folder), { timeout: 20_000 }).toMatchObject([{ ...handedOver, target: "/later" }]);
    const cluster = gateway.state.cluster("c")!;
    expect([cluster.inFlight, ...cluster.destinations.all.map(({ inFlight }) => inFlight)]).toEqual([0, 0]);
    end();
    await client.until("ended\n");
    client.close();
  });

  it("a target that has gone is in the log once, and each request that finds none has an entry with its status and error", async () => {
    await using folder = await configFolder();
    const receiver = await startReceiver();
    {
      await using gateway = await start(folder, mode, "Json");
      await gateway.logged(({ message, queue }) => message === "a process that requests are handed to is there" && queue === socket);
      await receiver.close();
      await gateway.logged(({ message, level }) => message === "a process that requests are handed to has gone" && level === "warn");
      for (let i = 0; i < 3; i++) {
        const client = await Client.open(gateway.port);
        client.send(get("/gone"));
        await client.until("503 ");
        client.close();
      }
      const unreachable = gateway.log.filter(({ message }) => message === "a process that requests are handed to cannot be reached");
      expect(unreachable).toMatchObject([{ level: "warn", queue: socket, code: "NOT_FOUND" }]);
    }
    const entries = await entriesOf(folder);
    expect(entries).toHaveLength(3);
    for (const entry of entries) expect(entry).toMatchObject({ target: "/gone", destination: "d", status: 503, error: "NoAvailableDestinations" });
    expect(entries.map((entry) => entry["delegated"])).toEqual([undefined, undefined, undefined]);
  });
});

it("Server:Delegation:Backlog bounds the requests that wait for a target which takes none: 503 beyond, told as such", async () => {
  await using folder = await configFolder();
  let arrived = 0;
  const target = await startFalseTarget(socket, { onHandOver: () => void arrived++ });
  {
    await using gateway = await start(folder, "perRequest", "Json", { Delegation: { Backlog: 2 } });
    const waiting = [await Client.open(gateway.port), await Client.open(gateway.port)];
    for (const client of waiting) client.send(get("/waits"));
    await turnsUntil(() => arrived === 2);
    const third = await Client.open(gateway.port);
    third.send(get("/beyond"));
    await third.until("503 ");
    for (const client of [...waiting, third]) client.close();
    // What waits for it ends with it.
    await target.close();
  }
  const entries = await entriesOf(folder);
  expect(entries.find(({ target: path }) => path === "/beyond")).toMatchObject({ status: 503, error: "Request", destination: "d" });
});

it.each([["0", "a whole number from 1 to 65536"], ["65537", "a whole number from 1 to 65536"]])("Server:Delegation:Backlog of %s is refused when the configuration is read", async (backlog, expected) => {
  await using folder = await configFolder();
  await expect(start(folder, "perRequest", "Json", { Delegation: { Backlog: Number(backlog) } })).rejects.toThrow(expected);
});
