import type { AddressInfo } from "node:net";
import type { FrontServer, ListenAddress } from "@proxy/http";
import { describe, expect, test } from "vitest";
import { parseListenUrls } from "../../src/listeners/listen-url.ts";
import { ListenError, openListeners } from "../../src/listeners/open-listeners.ts";

/** Servers that only note what they are told; binding to a taken address fails. */
function fakeServers(taken: Readonly<Record<string, string>> = {}) {
  const log: string[] = [];
  const create = (): FrontServer => {
    let name = "";
    return {
      connectionCount: 1,
      listen({ host, port }: ListenAddress): Promise<AddressInfo> {
        name = `${host ?? "*"}:${port}`;
        const code = taken[name];
        if (code !== undefined) return Promise.reject(Object.assign(new Error("no"), { code }));
        log.push(`listen ${name}`);
        return Promise.resolve({ address: host ?? "::", port: port === 0 ? 49_152 : port, family: "IPv4" });
      },
      close(grace?: number): Promise<void> {
        log.push(`close ${name} ${grace}`);
        return Promise.resolve();
      },
    };
  };
  return { create, log };
}

describe("listeners", () => {
  test("the real port takes the place of 0, and a wildcard shows the address it became", async () => {
    const { create } = fakeServers();
    const open = await openListeners(parseListenUrls("http://127.0.0.1:0;http://*:80"), create);
    expect(open.urls).toEqual(["http://127.0.0.1:49152", "http://[::]:80"]);
    expect(open.connectionCount()).toBe(2);
  });

  test("localhost is both loopback addresses on one port", async () => {
    const { create, log } = fakeServers();
    const open = await openListeners(parseListenUrls("http://localhost:0"), create);
    expect(open.urls).toEqual(["http://localhost:49152"]);
    expect(log).toEqual(["listen 127.0.0.1:0", "listen ::1:49152"]);
  });

  test("localhost does without IPv6 where there is none", async () => {
    const { create, log } = fakeServers({ "::1:5000": "EADDRNOTAVAIL" });
    await openListeners(parseListenUrls("http://localhost:5000"), create);
    expect(log).toEqual(["listen 127.0.0.1:5000"]);
  });

  test("localhost is refused when somebody else has its IPv6 half", async () => {
    const { create, log } = fakeServers({ "::1:5000": "EADDRINUSE" });
    await expect(openListeners(parseListenUrls("http://localhost:5000"), create)).rejects.toThrow(ListenError);
    expect(log).toEqual(["listen 127.0.0.1:5000", "close 127.0.0.1:5000 0"]);
  });

  test("one address that is taken closes all others and is named", async () => {
    const { create, log } = fakeServers({ "127.0.0.1:2": "EADDRINUSE" });
    const opening = openListeners(parseListenUrls("http://127.0.0.1:1;http://127.0.0.1:2"), create);
    await expect(opening).rejects.toThrow(
      "cannot listen on http://127.0.0.1:2: the address is in use by another process",
    );
    expect(log).toEqual(["listen 127.0.0.1:1", "close 127.0.0.1:1 0"]);
  });

  test("closing passes the time of grace to every server", async () => {
    const { create, log } = fakeServers();
    const open = await openListeners(parseListenUrls("http://127.0.0.1:1;http://127.0.0.1:2"), create);
    await open.close(1500);
    expect(log.slice(2)).toEqual(["close 127.0.0.1:1 1500", "close 127.0.0.1:2 1500"]);
  });
});
