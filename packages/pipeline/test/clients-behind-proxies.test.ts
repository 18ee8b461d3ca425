import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientAddressOf } from "@proxy/http";
import { transforms, trustedPeers } from "@proxy/pipeline";
import { clientBehind } from "../src/client-address.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { testProxy } from "./support/proxies.ts";

const find = clientBehind(trustedPeers(["10.0.0.0/8", "fd00::/8"]));
const of = (headers: readonly (readonly [string, string])[], remoteAddress = "10.0.0.1"): string | undefined => find(new FakeExchange({ remoteAddress, headers }));

describe("the client behind proxies that are believed", () => {
  it.each<[title: string, headers: readonly (readonly [string, string])[], client: string | undefined]>([
    ["is the last that is not believed itself", [["X-Forwarded-For", "6.6.6.6, 203.0.113.7, 10.0.0.2"]], "203.0.113.7"],
    ["over several lines", [["X-Forwarded-For", "6.6.6.6"], ["x-forwarded-for", "203.0.113.7,10.0.0.2"]], "203.0.113.7"],
    ["is the first where all are believed", [["X-Forwarded-For", "10.0.0.3, 10.0.0.2"]], "10.0.0.3"],
    ["is the last that can be read", [["X-Forwarded-For", "203.0.113.7, unknown, 10.0.0.2"]], "10.0.0.2"],
    ["is nobody where nothing can be read", [["X-Forwarded-For", "203.0.113.7, unknown"]], undefined],
    ["is nobody in an empty field", [["X-Forwarded-For", ""]], undefined],
    ["has no port", [["X-Forwarded-For", "203.0.113.7:4711"]], "203.0.113.7"],
    ["has no brackets", [["X-Forwarded-For", "[2001:db8::7]:4711"]], "2001:db8::7"],
    ["is IPv6 as it stands", [["X-Forwarded-For", "2001:db8::7, fd00::1"]], "2001:db8::7"],
    ["is IPv4 in IPv6", [["X-Forwarded-For", "::ffff:203.0.113.7"]], "203.0.113.7"],
    ["stands in Forwarded", [["Forwarded", 'for=6.6.6.6, for="[2001:db8::7]:4711";proto=https;by=10.0.0.9, For = 10.0.0.2']], "2001:db8::7"],
    ["is not found behind a hidden node", [["Forwarded", "for=203.0.113.7, for=_hidden, for=10.0.0.2"]], "10.0.0.2"],
    ["is not what a quoted comma feigns", [["Forwarded", 'for=203.0.113.7;host="a,for=6.6.6.6"']], "203.0.113.7"],
    ["is not what a host in quotes feigns", [["Forwarded", 'proto=http;host="a;for=6.6.6.6;b";for=203.0.113.7']], "203.0.113.7"],
    ["is nobody behind a quote that does not end", [["Forwarded", 'for=6.6.6.6;host="a, for=203.0.113.7']], undefined],
    ["is found behind a line that nobody can read", [["Forwarded", 'for="6.6.6.6'], ["Forwarded", "for=203.0.113.7"]], "203.0.113.7"],
    ["is found behind quotes, which X-Forwarded-For does not know", [["X-Forwarded-For", '"6.6.6.6, 203.0.113.7, "'], ["X-Forwarded-For", "203.0.113.8"]], "203.0.113.8"],
    ["is the one that both fields name", [["X-Forwarded-For", "203.0.113.7"], ["Forwarded", "for=203.0.113.7"]], "203.0.113.7"],
    ["is nobody where the fields disagree", [["X-Forwarded-For", "203.0.113.7"], ["Forwarded", "for=203.0.113.8"]], undefined],
  ])("%s", (_, headers, client) => {
    expect(of(headers)).toBe(client);
  });

  it("is nobody for a peer that is not believed", () => {
    expect(of([["X-Forwarded-For", "203.0.113.7"]], "192.0.2.9")).toBeUndefined();
  });

  it.each<[network: string, believed: readonly string[], not: readonly string[]]>([
    ["::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.1.2.3", "::a01:203", "2001:db8::1"]],
    ["::ffff:a00:0/104", ["10.1.2.3"], ["11.1.2.3"]],
    ["::ffff:10.0.0.1", ["10.0.0.1", "::ffff:10.0.0.1"], ["10.0.0.2"]],
    ["10.0.0.0/8", ["10.1.2.3", "::ffff:10.1.2.3"], ["::a01:203"]],
    ["::ffff:0:0/96", ["10.1.2.3"], ["2001:db8::1"]],
    ["::/0", ["2001:db8::1", "::1"], ["10.1.2.3", "::ffff:10.1.2.3"]],
    ["::1/64", ["::1"], ["10.1.2.3", "::ffff:10.1.2.3"]],
  ])("is found behind %s, which is IPv4 or IPv6", (network, believed, not) => {
    const trust = trustedPeers([network]);
    expect([...believed, ...not].map((address) => trust(address))).toEqual([...believed.map(() => true), ...not.map(() => false)]);
  });

  it("is an address, whatever the fields hold", () => {
    const piece = fc.constantFrom("for=", '"', ",", ";", "10.0.0.1", "[::1]", ":80", "\\", " ", "203.0.113.7", "unknown", "=", "FOR=");
    const text = fc.array(piece, { maxLength: 20 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (one, other) => {
        const found = of([["X-Forwarded-For", one], ["Forwarded", other]]);
        expect(found === undefined || ["10.0.0.1", "::1", "203.0.113.7"].includes(found) || /^[0-9a-f.:]+$/.test(found)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("costs little, however long the fields are", () => {
    const begin = process.cpuUsage();
    of([["Forwarded", '"'.repeat(16_000)], ["X-Forwarded-For", "1,".repeat(8000)]]);
    of([["Forwarded", `${'for="'.repeat(6000)}`]]);
    of([["Forwarded", `"${'\\"'.repeat(16_000)}`], ["X-Forwarded-For", '",'.repeat(16_000)]]);
    expect(process.cpuUsage(begin).user).toBeLessThan(5_000_000);
  });
});

describe("forwarding and balancing", () => {
  const cluster = { loadBalancingPolicy: "ConsistentHash", destinations: Object.fromEntries(["a", "b", "c", "d", "e"].map((id) => [id, { address: `http://${id}.test` }])) };

  it("go by the client, not by the proxy in front", async () => {
    const { send, clients } = await testProxy(
      { routes: { r: { clusterId: "c", match: { path: "/{**path}" } } }, clusters: { c: cluster } },
      { trustedProxies: ["10.0.0.0/8"] },
    );
    const chosen = async (headers: readonly (readonly [string, string])[], remoteAddress: string): Promise<[string, readonly string[]]> => {
      const exchange = await send({ headers, remoteAddress });
      const call = clients[0]?.last;
      expect(clientAddressOf(exchange)).toBe(call?.request.headers.get("x-forwarded-for"));
      return [call?.origin.host ?? "", call?.request.headers.getAll("x-forwarded-for") ?? []];
    };
    for (let i = 0; i < 20; i++) {
      const client = `203.0.113.${i}`;
      const direct = await chosen([], client);
      expect(direct[1]).toEqual([client]);
      expect(await chosen([["X-Forwarded-For", client]], "10.0.0.1")).toEqual(direct);
      expect(await chosen([["Forwarded", `for=${client}`]], "10.7.7.7")).toEqual(direct);
    }
  });

  it.each([
    ["X-Forwarded", transforms.xForwarded("Append"), "x-forwarded-for", ["203.0.113.7", "10.0.0.1"]],
    ["Forwarded anew", transforms.forwarded(["for"], { forFormat: "IpAndPort" }), "forwarded", ["for=203.0.113.7"]],
    ["Forwarded after what is there", transforms.forwarded(["for"], { forFormat: "Ip", action: "Append" }), "forwarded", ["for=203.0.113.7", "for=10.0.0.1"]],
  ])("%s", async (_, transform, key, lines) => {
    const { send, clients } = await testProxy(
      { routes: { r: { clusterId: "c", match: { path: "/{**path}" }, transforms: [transform] } }, clusters: { c: cluster } },
      { trustedProxies: ["10.0.0.0/8"] },
    );
    await send({ remoteAddress: "10.0.0.1", headers: [["X-Forwarded-For", "203.0.113.7"], ["Forwarded", "for=203.0.113.7"]] });
    expect(clients[0]?.last.request.headers.getAll(key)).toEqual(lines);
  });
});
