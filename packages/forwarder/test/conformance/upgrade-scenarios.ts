import { createEngineClient, createEngineServer, HeaderList, type VersionPolicy } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
// @boundaries-ignore the suite lives with its interface
import { RawClient } from "../../../http/test/contract/raw-client.ts";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, turns } from "../../../http/test/contract/recorders.ts";
import { forward, forwardWith, type ForwardOptions, prepareDestination } from "../../src/index.ts";
import { isWebSocketKey, webSocketAccept } from "../../src/websocket/handshake.ts";
import { FakeExchange } from "../doubles/fake-exchange.ts";
import { FakeUpgrade } from "../doubles/fake-tunnel.ts";
import { RawDestination } from "../doubles/raw-destination.ts";
import { UpgradeBench } from "../doubles/upgrade-bench.ts";
import { versionOf } from "./version-text.ts";
import { crossVersion, fallback, message, negotiate, noFallback } from "./websocket-scenarios.ts";

type Case = Pick<ConformanceCase, "given" | "expect">;

const wsHeaders = [["Connection", "Upgrade"], ["Upgrade", "websocket"], ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="]] as const;

export async function playRequest({ given, expect: expected }: Case): Promise<void> {
  const lines: [string, string][] = given.requestHeaders;
  const asked = lines.find(([name]) => name === "Upgrade")?.[1];
  const upgrade = given.upgradable && asked !== undefined ? new FakeUpgrade(asked) : undefined;
  const wanted: [string, string[] | null][] = Object.entries(expected.outgoing.headers);
  if (given.outgoingVersion === "2.0") {
    const { request } = new UpgradeBench(upgrade, { version: "2", versionPolicy: "RequestVersionExact" }, { headers: lines }).call;
    for (const [name, values] of wanted) expect([name, linesOf(request.headers, name)]).toEqual([name, values]);
    return;
  }
  const destination = await RawDestination.open();
  const client = createEngineClient();
  try {
    const exchange = new FakeExchange({ headers: lines, features: { upgrade } });
    forwardWith(exchange, prepareDestination(destination.prefix), { client, version: "1.1" }, () => undefined);
    const head = await (await destination.accept()).readUntil("\r\n\r\n");
    const sent = HeaderList.from(head.split("\r\n").slice(1, -2).map((line): [string, string] => {
      const [name, value] = line.split(": ");
      return [name as string, value as string];
    }));
    for (const [name, values] of wanted) {
      // What Connection names is told without regard to case (RFC 9110, 7.6.1).
      const found = linesOf(sent, name);
      expect([name, name === "Connection" ? (found?.map((value) => value.toLowerCase()) ?? null) : found]).toEqual([name, values]);
    }
  } finally {
    client.destroy();
    await destination.close();
  }
}

function linesOf(headers: HeaderList, name: string): string[] | null {
  const lines = headers.getAll(name.toLowerCase());
  return lines.length === 0 ? null : lines;
}

export function playResponse({ given, expect: expected }: Case): void {
  const upgrade = given.upgradable ? new FakeUpgrade("WebSocket") : undefined;
  const bench = new UpgradeBench(upgrade, { version: versionOf(given.outgoingVersion) }, { headers: given.requestHeaders });
  const { status, headers } = given.response as { status: number; headers: [string, string][] };
  if (status === 101) {
    bench.switch(status, headers);
  } else {
    bench.call.respond(status, headers);
    bench.call.end();
  }
  const head = upgrade?.head ?? bench.exchange.response.head;
  expect(head?.status).toBe(expected.client.status);
  for (const [name, values] of Object.entries(expected.client.headers)) {
    // Connection: Upgrade is the front server's to write (upgrades.test.ts has it on the wire).
    if (name === "Connection" && values !== null) expect(values).toEqual(["upgrade"]);
    else expect([name, linesOf(head?.headers ?? new HeaderList(), name)]).toEqual([name, values]);
  }
}

export function playPlan({ given, expect: expected }: Case): void {
  const upgrade = given.client === "spdy" ? new FakeUpgrade("SPDY/3.1") : new FakeUpgrade("websocket", given.client === "h2-websocket" ? "http2" : "http1");
  const versionPolicy = given.policy as VersionPolicy;
  const attempts: number[] = [];
  const bench = new UpgradeBench(upgrade, {
    version: versionOf(given.version),
    versionPolicy,
    https: given.https,
    transformer: { request: (_, outgoing) => void attempts.push(outgoing.attempt) },
  }, upgrade.kind === "http1" ? { headers: wsHeaders } : {});
  if (expected.error !== undefined) {
    expect([bench.outcome?.code, bench.exchange.response.status, bench.calls.length]).toEqual([expected.error, expected.status, 0]);
    return;
  }
  const { request } = bench.call;
  expect([request.method, request.httpVersion, request.versionPolicy, request.upgrade === undefined]).toEqual([
    expected.method, versionOf(expected.version), "RequestVersionExact", false,
  ]);
  expect(expected.outgoing).toBe(request.httpVersion === "2" ? "connect" : "upgrade");
  bench.call.fail("no HTTP/2 there", { step: "connect", requestSent: false, versionUnavailable: true });
  expect(bench.calls.length).toBe(expected.retryOnHttp11 ? 2 : 1);
  if (expected.retryOnHttp11 !== true) {
    expect(bench.outcome?.code).toBe("Request");
    return;
  }
  expect([bench.call.request.method, bench.call.request.httpVersion, bench.call.request.upgrade]).toEqual(["GET", "1.1", "websocket"]);
  expect(attempts).toEqual([1, 2]);
  bench.call.fail("nor HTTP/1.1", { step: "connect", requestSent: false, versionUnavailable: true });
  expect([bench.calls.length, bench.done]).toEqual([2, 1]);
}

type Scenario = (item: Case) => void | Promise<void>;

/** A tunnel that stands. */
function joined(options: ForwardOptions = {}): UpgradeBench {
  const bench = new UpgradeBench(new FakeUpgrade("WebSocket"), { version: "1.1", ...options }, { headers: wsHeaders });
  bench.switch(101, [["Connection", "Upgrade"], ["Upgrade", "websocket"]]);
  expect(bench.upgrade?.head?.status).toBe(101);
  return bench;
}

const duplex: Scenario = ({ given, expect: expected }) => {
  const upgrade = new FakeUpgrade(given.upgrade);
  const bench = new UpgradeBench(upgrade, { version: "1.1" });
  bench.switch(given.destination.status, [...given.destination.headers, ["Upgrade", given.upgrade]]);
  for (const [name, values] of Object.entries(expected.client.headers)) expect(upgrade.head?.headers.getAll(name)).toEqual(values);
  upgrade.tunnel.push(given.clientSends);
  bench.destination.push(given.destination.sends);
  expect([bench.destination.text, upgrade.tunnel.text]).toEqual([expected.destinationReceives, expected.clientReceives]);
  upgrade.tunnel.pushEnd();
  expect([bench.destination.ended, bench.done]).toEqual([true, 0]);
  bench.destination.pushEnd();
  expect([bench.done, bench.outcome]).toEqual([1, undefined]);
};

function broken(item: Case, bench: UpgradeBench): void {
  expect([bench.done, bench.outcome?.code]).toEqual([1, item.expect.forwarderError]);
  expect([bench.upgrade?.tunnel.aborted, bench.destination.aborted]).not.toContain(undefined);
  expect(bench.timers.size).toBe(0);
}

const aborted = (copyingFromDestination: boolean): Scenario => (item) => {
  const caller = new AbortController();
  const bench = joined({ signal: caller.signal });
  if (copyingFromDestination) {
    (bench.upgrade as FakeUpgrade).tunnel.room = false;
    bench.destination.push("more than the client takes");
  }
  caller.abort();
  broken(item, bench);
};

const failedTransform: Scenario = ({ expect: expected }) => {
  let runs = 0;
  const bench = new UpgradeBench(new FakeUpgrade("websocket"), {
    version: "2",
    https: true,
    transformer: {
      request: () => {
        if (++runs === 2) throw new Error("on the second run");
      },
    },
  } as ForwardOptions, { headers: wsHeaders });
  bench.call.fail("no HTTP/2 there", { step: "connect", requestSent: false, versionUnavailable: true });
  expect([runs, bench.calls.length, bench.outcome?.code]).toEqual([2, 1, expected.forwarderError]);
};

/** HTTP/2 client, HTTP/1.1 destination. */
function down(key: string | undefined): UpgradeBench {
  return new UpgradeBench(new FakeUpgrade("websocket", "http2"), { version: "1.1" }, key === undefined ? {} : { headers: [["sec-websocket-key", key]] });
}

const keyOf = (bench: UpgradeBench): string => bench.call.request.headers.get("sec-websocket-key") as string;

/** Every byte value both ways: the gateway knows no framing that could be in the way. */
export const rawUpgrade: Scenario = async ({ expect: expected }) => {
  const destination = await RawDestination.open();
  const client = createEngineClient();
  const front = createEngineServer({ handler: (exchange) => void forward(exchange, destination.prefix, client) });
  try {
    const { port } = await front.listen({ host: "127.0.0.1", port: 0 });
    const raw = await RawClient.open(port);
    raw.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n");
    const there = await destination.accept();
    await there.readUntil("\r\n\r\n");
    there.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n");
    expect((await raw.readHead()).status).toBe(expected.status);
    const every = Buffer.from(Array.from({ length: 256 * 5 }, (_, index) => Math.floor(index / 5)));
    raw.write(every);
    there.write(await there.readBytes(every.length));
    expect((await raw.readBytes(every.length)).equals(every)).toBe(expected.echoed);
    there.end();
    await raw.ended;
    raw.destroy();
  } finally {
    await front.close(0);
    client.destroy();
    await destination.close();
  }
};

/** By the id without the area, or by its rule when one function plays all of that rule. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "negotiation-ok": negotiate,
  "negotiation-fail": negotiate,
  "cross-version": crossVersion,
  "messages": message,
  "no-fallback": noFallback,
  "fallback.ae56d3d6": fallback,
  "raw-upgrade": rawUpgrade,
  duplex,
  "refused": async ({ given, expect: expected }) => {
    const bench = new UpgradeBench(new FakeUpgrade(given.upgrade), { version: "1.1" });
    bench.call.respond(given.destination.status, given.destination.headers, given.destination.reason);
    bench.call.data(given.destination.body);
    bench.call.end();
    await turns(1);
    const { response } = bench.exchange;
    expect([response.status, response.head?.reason, response.body, bench.upgrade?.head]).toEqual([expected.status, expected.reason, expected.body, undefined]);
  },
  "policy": ({ given, expect: expected }) => {
    const bench = new UpgradeBench(new FakeUpgrade(given.upgrade), { version: "2", versionPolicy: given.versionPolicy });
    expect([bench.exchange.response.status, bench.outcome?.code, bench.calls.length]).toEqual([expected.status, expected.forwarderError, 0]);
  },
  "idle": (item) => {
    const bench = joined({ activityTimeout: 1000 });
    bench.timers.advance(100);
    expect(bench.done).toBe(0);
    bench.timers.advance(2);
    broken(item, bench);
  },
  "tunnel-errors.a3af111b": (item) => {
    const bench = joined();
    bench.upgrade?.tunnel.lose(new Error("read failed"));
    broken(item, bench);
  },
  "tunnel-errors.5870a6e8": (item) => {
    const bench = joined();
    bench.destination.lose(new Error("read failed"));
    broken(item, bench);
  },
  "tunnel-errors.d67d0f61": aborted(false),
  "tunnel-errors.888318b0": aborted(true),
  "tunnel-errors.284cfd6a": ({ expect: expected }) => {
    const upgrade = new FakeUpgrade("WebSocket");
    upgrade.refuse = new Error("the client is gone");
    const bench = new UpgradeBench(upgrade, { version: "1.1" }, { headers: wsHeaders });
    bench.switch(101, [["Connection", "Upgrade"], ["Upgrade", "websocket"]]);
    expect([bench.done, bench.outcome?.code, bench.destination.aborted === undefined]).toEqual([1, expected.forwarderError, false]);
  },
  "false-upgrade": async ({ given, expect: expected }) => {
    const body = new MemoryBody([given.body], { length: given.body.length });
    const bench = new UpgradeBench(undefined, { version: "1.1" }, { method: given.method, body, headers: given.requestHeaders });
    bench.call.readBody();
    while (!bench.call.bodyEnded) await turns(1);
    expect(bench.call.request.upgrade).toBeUndefined();
    bench.call.respond(200);
    bench.call.data(bench.call.body);
    bench.call.end();
    expect([bench.exchange.response.status, bench.exchange.response.body]).toEqual([expected.status, expected.body]);
  },
  "fallback.4f672e6a": failedTransform,
  "key.9c77460d": ({ given, expect: expected }) => {
    const bench = new UpgradeBench(new FakeUpgrade("websocket"), { version: "2", versionPolicy: "RequestVersionExact" }, {
      headers: [["Sec-WebSocket-Key", given.key]],
    });
    expect([bench.exchange.response.status, bench.calls.length]).toEqual([expected.status, 0]);
  },
  "key.b1f261f0": ({ given, expect: expected }) => {
    const bench = down(given.key);
    expect(keyOf(bench)).toBe(expected.destinationKey);
    bench.switch(101, [["Upgrade", "websocket"], ["Sec-WebSocket-Accept", webSocketAccept(given.key)]]);
    expect(bench.upgrade?.head?.status).toBe(200);
  },
  "key.68771239": ({ expect: expected }) => {
    const bench = down(undefined);
    expect(keyOf(bench)).toHaveLength(expected.destinationKeyLength);
    expect(Buffer.from(keyOf(bench), "base64")).toHaveLength(16);
    expect(keyOf(down(undefined))).not.toBe(keyOf(bench));
    bench.switch(101, [["Upgrade", "websocket"], ["Sec-WebSocket-Accept", webSocketAccept(keyOf(bench))]]);
    expect(bench.upgrade?.head?.status).toBe(200);
  },
  "key-length": ({ given, expect: expected }) => expect(isWebSocketKey(given.key)).toBe(expected.wellFormed),
  "accept": ({ given, expect: expected }) => expect(webSocketAccept(given.key)).toBe(expected.accept),
  "header-rewrite.3541a915": ({ expect: expected }) => {
    const bench = down(undefined);
    expect([bench.call.request.method, [bench.call.request.upgrade]]).toEqual(["GET", expected.outgoing.headers.Upgrade]);
    bench.switch(101, [["Upgrade", "websocket"], ["Sec-WebSocket-Accept", webSocketAccept(keyOf(bench))], ["Sec-WebSocket-Protocol", "chat"]]);
    const head = bench.upgrade?.head;
    expect([head?.status, head?.headers.toRaw()]).toEqual([expected.client.status, ["Sec-WebSocket-Protocol", "chat"]]);
  },
  "header-rewrite.7c0ddd9e": ({ given, expect: expected }) => {
    const bench = down(undefined);
    bench.switch(101, [["Upgrade", "websocket"], ["Sec-WebSocket-Accept", given.destinationAccept]]);
    expect([bench.exchange.response.status, bench.outcome?.code, bench.upgrade?.head]).toEqual([expected.status, expected.forwarderError, undefined]);
    expect(bench.destination.aborted).toBeDefined();
  },
};
