import { HeaderList } from "@proxy/http";
import { afterEach, describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../tooling/httpsys-double/build.ts";
import { createHttpSysServer } from "../src/index.ts";
import { double, freePort, liveObjects, missing } from "./double.ts";

describe.skipIf(missing !== undefined)(missing ?? "a server of HTTP.sys", () => {
  afterEach(async () => {
    await expect.poll(() => liveObjects()).toMatchObject({ sessions: 0, groups: 0, urls: 0, queues: 0, calls: 0, connections: 0 });
  });

  test("that is closed twice at a time waits for its answers in both, and ends both", async () => {
    const came = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const server = createHttpSysServer({
      library: await double(),
      async handler({ response }) {
        came.resolve();
        await go.promise;
        response.send({ status: 200, headers: new HeaderList() }, "whole");
      },
    });
    const port = await freePort();
    await server.listen({ host: "localhost", port });
    const answer = fetch(`http://localhost:${port}/`, { headers: { connection: "close" } }).then((response) => response.text());
    await came.promise;
    const ends = [server.close(), server.close()];
    go.resolve();
    expect(await answer).toBe("whole");
    await Promise.all(ends);
    await server.close();
  });

  test("that is closed while it starts does not listen afterwards", async () => {
    const server = createHttpSysServer({ libraryPath: buildDouble(), handler: () => undefined });
    const listening = server.listen({ host: "localhost", port: await freePort() });
    const outcome = expect(listening).rejects.toThrow("was closed before it listened");
    await server.close();
    await outcome;
    expect(server.delegationSource).toBeUndefined();
  });

  test("listens once, also while it starts", async () => {
    const server = createHttpSysServer({ libraryPath: buildDouble(), handler: () => undefined });
    const port = await freePort();
    const listening = server.listen({ host: "localhost", port });
    await expect(server.listen({ host: "localhost", port })).rejects.toThrow("listens already");
    await listening;
    await server.close();
  });
});
