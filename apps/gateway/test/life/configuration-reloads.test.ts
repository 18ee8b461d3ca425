import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { bodyOf, getRaw } from "../support/raw-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

let folder: ConfigFolder;
let one: RawOrigin;
let two: RawOrigin;
beforeEach(async () => {
  folder = await configFolder();
  one = await startRawOrigin("one");
  two = await startRawOrigin("two");
});
afterEach(async () => {
  await one.close();
  await two.close();
  await folder[Symbol.asyncDispose]();
});

const says = (text: string) => (entry: Readonly<Record<string, unknown>>) => String(entry["message"]).includes(text);

describe("the configuration", () => {
  test("a change takes effect, and the log says what changed", async () => {
    const file = await folder.write("gateway.json", oneRoute(one.url));
    await using gateway = await startGateway([file]);
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("one");
    await folder.write("gateway.json", oneRoute(two.url));
    const entry = await gateway.logged(says("is in use"));
    expect(entry).toMatchObject({ level: "info", clustersChanged: 1, routesChanged: 0 });
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("two");
  });

  test("a broken file is reported with every issue and changes nothing; the next good one counts", async () => {
    const file = await folder.write("gateway.json", oneRoute(one.url));
    await using gateway = await startGateway([file]);
    await folder.write("gateway.json", {
      ReverseProxy: {
        Routes: { bad: { ClusterId: "c", Match: {} } },
        Clusters: { c: { LoadBalancingPolicy: "Nope", Destinations: { d: { Address: two.url } } } },
      },
    });
    await gateway.logged(says("Nope"));
    await gateway.logged(says("bad"));
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("one");
    await folder.write("gateway.json", "{ not json");
    expect(await gateway.logged((entry) => entry["code"] === "syntax")).toMatchObject({ source: file, line: 1 });
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("one");
    await folder.write("gateway.json", oneRoute(two.url));
    await gateway.logged(says("is in use"));
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("two");
    expect(gateway.log.filter(says("is in use"))).toHaveLength(1);
  });

  test("several files are one configuration, and the environment wins over all", async () => {
    const { ReverseProxy } = oneRoute(one.url) as { ReverseProxy: { Routes: unknown; Clusters: unknown } };
    const routes = await folder.write("routes.json", { ReverseProxy: { Routes: ReverseProxy.Routes } });
    const clusters = await folder.write("clusters.json", { ReverseProxy: { Clusters: ReverseProxy.Clusters } });
    {
      await using gateway = await startGateway([routes, clusters]);
      expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("one");
    }
    await using gateway = await startGateway([routes, clusters], {
      env: { ReverseProxy__Clusters__c__Destinations__d__Address: two.url },
    });
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("two");
  });

  test("files are laid over one another, key by key", async () => {
    const base = await folder.write("appsettings.json", oneRoute(one.url));
    const over = await folder.write("appsettings.Production.json", {
      reverseProxy: { clusters: { C: { destinations: { D: { address: two.url } } } } },
    });
    await using gateway = await startGateway([base, over]);
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("two");
    await folder.write("appsettings.Production.json", {});
    await gateway.logged(says("is in use"));
    expect(bodyOf(await getRaw(gateway.port, "/"))).toBe("one");
  });

  test("what needs a restart is said, once for each change", async () => {
    const file = await folder.write("gateway.json", oneRoute(one.url, { Server: { Limits: { MaxRequestBodySize: 3 } } }));
    await using gateway = await startGateway([file], { urls: "" });
    const change = async (url: string, more: Readonly<Record<string, unknown>>): Promise<string[]> => {
      const before = gateway.log.length;
      await folder.write("gateway.json", oneRoute(url, more));
      await gateway.logged((entry) => says("is in use")(entry) && gateway.log.indexOf(entry) >= before);
      return gateway.log.slice(before).filter(({ level }) => level === "warn").map(({ message }) => String(message));
    };
    const restart = "read at start only, the change needs a restart";
    const next = { Kestrel: { Limits: { MaxRequestBodySize: 4 } }, Logging: { LogLevel: { Default: "Warning" } } };
    expect(await change(two.url, next)).toEqual([`Server:Limits, Logging:LogLevel:Default: ${restart}`]);
    expect(await change(one.url, next)).toEqual([]);
    expect(await change(two.url, { Urls: "nonsense", Server: { Limits: { MaxRequestBodySize: 3 } } })).toEqual([
      `Urls: ${restart}`,
      expect.stringMatching(/^the next start would fail: .*nonsense/),
    ]);
    expect(await change(one.url, { Server: { Limits: { MaxRequestBodySize: 3 } } })).toEqual([]);
  });

  test("a file that is mended by taking the change back is said to be in use again", async () => {
    const file = await folder.write("gateway.json", oneRoute(one.url));
    await using gateway = await startGateway([file]);
    await folder.write("gateway.json", "{");
    await gateway.logged((entry) => entry["code"] === "syntax");
    expect(gateway.log.some(says("say again"))).toBe(false);
    await folder.write("gateway.json", oneRoute(one.url));
    await gateway.logged(says("is what the files say again"));
  });

  test("every address of Urls and of the endpoints is listened on", async () => {
    const file = await folder.write(
      "gateway.json",
      oneRoute(one.url, {
        Urls: "http://127.0.0.1:0",
        Kestrel: { Endpoints: { More: { Url: "http://127.0.0.1:0" } } },
      }),
    );
    await using gateway = await startGateway([file], { urls: "" });
    expect(gateway.urls).toHaveLength(2);
    expect(gateway.announced).toBe(gateway.urls.map((url) => `Listening on ${url}\n`).join(""));
    for (const url of gateway.urls) expect(bodyOf(await getRaw(Number(new URL(url).port), "/"))).toBe("one");
  });

  test("limits of the server hold", async () => {
    const file = await folder.write("gateway.json", oneRoute(one.url, { Kestrel: { Limits: { MaxRequestBodySize: 3 } } }));
    await using gateway = await startGateway([file]);
    const answer = await getRaw(gateway.port, "/", "shop.test", "Content-Length: 4\r\n").catch(() => "");
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(one.requests).toEqual([]);
  });

  test("the level of the configuration holds, that of the command line wins", async () => {
    const file = await folder.write("gateway.json", oneRoute(one.url, { Logging: { LogLevel: { Default: "None" } } }));
    {
      await using gateway = await startGateway([file]);
      expect(gateway.log).toEqual([]);
    }
    await using gateway = await startGateway([file], { logLevel: "Information" });
    await gateway.logged(says("is loaded"));
  });

  test("unknown keys are warnings, and errors when strict", async () => {
    const file = await folder.write("gateway.json", oneRoute(one.url, { Sever: {} }));
    {
      await using gateway = await startGateway([file]);
      expect(await gateway.logged(says("Sever"))).toMatchObject({ level: "warn" });
    }
    await expect(startGateway([file], { strict: true })).rejects.toThrow("Sever");
  });
});
