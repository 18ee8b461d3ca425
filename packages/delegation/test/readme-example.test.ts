import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createUnixCarrier } from "../src/index.ts";
import { Client, privateDirectory, startGateway } from "./delegating-gateway.ts";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

test("the README's example takes connections and answers the clients", async () => {
  const directory = await privateDirectory();
  const path = join(directory.path, "shop", "files.sock");
  const readme = await readFile(`${packageFolder}README.md`, "utf8");
  const source = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]?.replace("/run/shop/files.sock", path) as string;
  expect(source).toContain(path);
  const child = spawn(process.execPath, ["--conditions=@proxy/source", "--input-type=module-typescript", "--eval", source], { cwd: packageFolder, stdio: "inherit" });
  const exited = once(child, "exit");
  try {
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
  } finally {
    child.kill();
    await exited;
    await directory.remove();
  }
});
