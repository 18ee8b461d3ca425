import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { getRaw } from "../support/raw-client.ts";
import { startGateway } from "../support/running-gateway.ts";

test("pages of the server and of routes, from files beside the configuration, and the log names the route", async () => {
  await using folder = await configFolder();
  await folder.write("sorry.html", "<h1>sorry</h1>");
  const log = `${folder.path}/access.log`;
  const file = await folder.write("gateway.json", {
    Server: { AccessLog: { Path: log, Format: "Json" }, ErrorPages: [{ Status: "4xx,5xx", BodyFile: "sorry.html" }] },
    ReverseProxy: {
      Routes: {
        own: { ClusterId: "c", Match: { Path: "/own" }, ErrorPages: [{ Status: "503", BodyFile: "sorry.html", ContentType: "text/plain" }] },
        all: { ClusterId: "c", Match: { Path: "/all" } },
      },
      Clusters: { c: { Destinations: {} } },
    },
  });
  {
    await using gateway = await startGateway([file]);
    expect(await getRaw(gateway.port, "/own")).toMatch(/^HTTP\/1\.1 503 [^]*Content-Type: text\/plain\r\n[^]*<h1>sorry<\/h1>$/);
    expect(await getRaw(gateway.port, "/all")).toMatch(/^HTTP\/1\.1 503 [^]*Content-Type: text\/html; charset=utf-8\r\n[^]*<h1>sorry<\/h1>$/);
    expect(await getRaw(gateway.port, "/none")).toMatch(/^HTTP\/1\.1 404 [^]*<h1>sorry<\/h1>$/);
  }
  const lines = (await readFile(log, "latin1")).trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { route?: string }).route)).toEqual(["own", "all", undefined]);
});

test("a page that is none is a fault with its place", async () => {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", { Server: { ErrorPages: [{ Status: "7xx", Body: "x" }] }, ReverseProxy: {} });
  await expect(startGateway([file])).rejects.toMatchObject({ issues: [{ code: "error-page", pointer: "/Server/ErrorPages/0/Status" }] });
});
