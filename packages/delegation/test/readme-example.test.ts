import { join } from "node:path";
import { expect, test } from "vitest";
// @boundaries-ignore how every README is tried
import { withReadmeExample } from "../../../tooling/docs/readme-example.ts";
import { createUnixCarrier } from "../src/index.ts";
import { Client, privateDirectory, startGateway } from "./delegating-gateway.ts";

const readme = new URL("../README.md", import.meta.url);

test("the README's example takes connections and answers the clients", async () => {
  const directory = await privateDirectory();
  const path = join(directory.path, "shop", "files.sock");
  await withReadmeExample(readme, { "/run/shop/files.sock": path }, async () => {
    const isThere = async (): Promise<boolean> => {
      const handle = await createUnixCarrier().open(path);
      handle.close();
      return true;
    };
    await expect.poll(() => isThere().catch(() => false), { timeout: 20_000 }).toBe(true);
    const gateway = await startGateway(path, "perRequest");
    const client = await Client.open(gateway.port);
    for (let i = 0; i < 2; i++) {
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(await client.until("hello 127.0.0.1\n")).toMatch(/^HTTP\/1.1 200 /);
    }
    client.close();
    await gateway.close();
  });
  await directory.remove();
});
