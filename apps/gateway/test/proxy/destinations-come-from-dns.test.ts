import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { startDnsServer } from "../support/dns-server.ts";
import type { DnsServer } from "../support/dns-server.ts";
import { bodyOf, getRaw, statusOf } from "../support/raw-client.ts";
import { plainAnswer, startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";
import type { RunningGateway } from "../support/running-gateway.ts";
import { certificateFile, certificateText } from "../support/tls-client.ts";

let folder: ConfigFolder;
let origin: RawOrigin;
beforeEach(async () => {
  folder = await configFolder();
  origin = await startRawOrigin("origin", (request) => plainAnswer(/\r\nhost: (.*)\r\n/i.exec(request)?.[1] ?? ""));
});
afterEach(async () => {
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

function config(dns: DnsServer, host: string, resolver: Record<string, unknown> = {}): unknown {
  const DestinationResolver = { Kind: "Dns", NameServers: [dns.address], ...resolver };
  return {
    ReverseProxy: {
      Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" } } },
      Clusters: { c: { DestinationResolver, Destinations: { d: { Address: `http://${host}/`, Host: "shop.example" } } } },
    },
  };
}

describe("destinations that are resolved", () => {
  test("are one for each address, and follow DNS when the records' time is over", async () => {
    await using dns = await startDnsServer({ "api.test": [{ address: "127.0.0.1", ttl: 60 }] });
    const file = await folder.write("gateway.json", config(dns, `api.test:${origin.port}`, { AddressFamily: "IPv4" }));
    await using gateway = await startGateway([file], { testClock: true });
    const ids = (): string[] => gateway.state.cluster("c")!.destinations.all.map(({ id }) => id);
    expect(ids()).toEqual(["d[127.0.0.1]"]);
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("shop.example");
    expect(dns.asked).toEqual(["A api.test"]);
    dns.records = { "api.test": [{ address: "127.0.0.2", ttl: 60 }, { address: "127.0.0.1", ttl: 60 }] };
    // The jitter makes it earlier by up to a tenth.
    await gateway.advance(53_000);
    expect(dns.asked).toHaveLength(1);
    await gateway.advance(7_000);
    await gateway.logged((entry) => entry["message"] === "destinations have other addresses now");
    expect(ids()).toEqual(["d[127.0.0.1]", "d[127.0.0.2]"]);
    expect(dns.asked).toHaveLength(2);
  });

  test("keep their last addresses while a name server knows none, with a warning", async () => {
    await using dns = await startDnsServer({ "api.test": [{ address: "127.0.0.1", ttl: 60 }] });
    const file = await folder.write("gateway.json", config(dns, `api.test:${origin.port}`, { AddressFamily: "IPv4" }));
    await using gateway = await startGateway([file], { testClock: true });
    dns.records = {};
    await gateway.advance(60_000);
    const entry = await gateway.logged(({ message }) => String(message).includes("last addresses stay in use"));
    expect(entry).toMatchObject({ level: "warn", host: "api.test" });
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("shop.example");
  });

  test("are the targets and ports of SRV records where the host begins with an underscore", async () => {
    await using dns = await startDnsServer({ "_http._tcp.api.test": [{ target: "localhost", port: origin.port, ttl: 60 }] });
    const file = await folder.write("gateway.json", config(dns, "_http._tcp.api.test"));
    await using gateway = await startGateway([file]);
    expect(gateway.state.cluster("c")!.destinations.all.map(({ id }) => id)).toEqual([`d[localhost:${origin.port}]`]);
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("shop.example");
  });

  test("have to prove over https the name that they were found by", async () => {
    const secure = createServer({ cert: certificateText("a.test.pem"), key: certificateText("a.test.key") }, (request, response) => {
      response.end(`${(request.socket as TLSSocket).servername} ${request.headers.host}`);
    }).listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as AddressInfo;
    await using dns = await startDnsServer({
      "a.test": [{ address: "127.0.0.1", ttl: 60 }],
      "b.test": [{ address: "127.0.0.1", ttl: 60 }],
    });
    const start = async (host: string): Promise<RunningGateway> => {
      const Cluster = {
        DestinationResolver: { Kind: "Dns", NameServers: [dns.address], AddressFamily: "IPv4" },
        HttpClient: { CertificateAuthorities: certificateFile("a.test.pem") },
        Destinations: { d: { Address: `https://${host}:${port}/` } },
      };
      const Routes = { all: { ClusterId: "c", Match: { Path: "{**rest}" } } };
      return startGateway([await folder.write("gateway.json", { ReverseProxy: { Routes, Clusters: { c: Cluster } } })]);
    };
    await using found = await start("a.test");
    expect(bodyOf(await getRaw(found.port, "/"))).toBe(`a.test a.test:${port}`);
    await using mistaken = await start("b.test");
    expect(statusOf(await getRaw(mistaken.port, "/"))).toBe(502);
    secure.closeAllConnections();
    secure.close();
  });

  test("that never had an address keep the gateway from starting, and say which cluster and why", async () => {
    await using dns = await startDnsServer({});
    const file = await folder.write("gateway.json", config(dns, "nowhere.test"));
    await expect(startGateway([file])).rejects.toThrow(/cluster 'c' could not be resolved.*ENOTFOUND/);
  });

  test("that cannot be resolved are told together with what else is wrong", async () => {
    await using dns = await startDnsServer({});
    const { ReverseProxy } = config(dns, "nowhere.test") as { ReverseProxy: { Routes: object } };
    const Routes = { ...ReverseProxy.Routes, wrong: { ClusterId: "c", Match: { Path: "/{x:nope}" } } };
    const file = await folder.write("gateway.json", { ReverseProxy: { ...ReverseProxy, Routes } });
    const failure = (await startGateway([file]).catch((error: unknown) => error)) as { issues: { code: string }[] };
    expect(failure.issues.map(({ code }) => code).sort()).toEqual(["constraint-unknown", "provider-failed"]);
  });

  test("that a reload brings and DNS does not know yet are tried again, while the configuration before serves", async () => {
    await using dns = await startDnsServer({ "api.test": [{ address: "127.0.0.1", ttl: 3600 }] });
    const file = await folder.write("gateway.json", config(dns, `api.test:${origin.port}`));
    await using gateway = await startGateway([file], { testClock: true });
    await folder.write("gateway.json", config(dns, `new.test:${origin.port}`));
    const refusal = await gateway.logged(({ event }) => event === "config-loading-failed");
    expect(refusal["error"]).toContain("ENOTFOUND");
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("shop.example");
    dns.records = { "new.test": [{ address: "127.0.0.1", ttl: 3600 }] };
    await gateway.advance(30_000);
    await gateway.logged(({ message }) => message === "the changed configuration is in use");
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("shop.example");
  });

  test("have settings that are checked", async () => {
    await using dns = await startDnsServer({});
    const file = await folder.write("gateway.json", config(dns, "api.test", { NameServers: ["dns.example"], RefreshPeriod: "0s" }));
    const failure = (await startGateway([file]).catch((error: unknown) => error)) as { issues: { code: string }[] };
    expect(failure.issues.map(({ code }) => code).sort()).toEqual(["resolver-name-server", "resolver-refresh-period"]);
  });
});
